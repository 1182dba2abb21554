/**
 * How much of a card's life is used, where it says so: eMMC does (JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST, in steps of 10 %), an
 * ordinary SD card does not.
 */
import { readdir, readFile } from 'node:fs/promises';

const steps = { first: 0x01, last: 0x0b };

/** `0x01 0x02`: two kinds of cells, of which the more worn counts. Per cent used, the upper end of the step; undefined: not told. */
export function parseLifeTime(text: string): number | undefined {
  const used = (text.match(/0x[0-9a-f]{2}/gi) ?? []).map(Number).filter((step) => step >= steps.first && step <= steps.last);
  return used.length === 0 ? undefined : Math.min(100, Math.max(...used) * 10);
}

export async function readCardWear(sys: string): Promise<number | undefined> {
  const cards = await readdir(`${sys}/class/mmc_host`).catch(() => []);
  const devices = (await Promise.all(cards.map((card) => folders(`${sys}/class/mmc_host/${card}`)))).flat();
  const texts = await Promise.all(devices.map((device) => readFile(`${device}/life_time`, 'utf8').catch(() => '')));
  const used = texts.map(parseLifeTime).filter((percent) => percent !== undefined);
  return used.length === 0 ? undefined : Math.max(...used);
}

async function folders(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => name.startsWith('mmc')).map((name) => `${path}/${name}`);
}
