/**
 * What the Raspberry Pi's firmware says of its supply and its heat: `get_throttled`, a word of bits of which the lower are now
 * and the upper ones ever since it was switched on. Source: raspberrypi.com, documentation of `vcgencmd get_throttled`.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { CommandOutcome } from '#device/detect/tools.ts';

export const powerWords = ['under-voltage', 'frequency-capped', 'throttled', 'temperature-limit'] as const;
export type PowerWord = (typeof powerWords)[number];

export type PowerState = {
  readonly now: readonly PowerWord[];
  /** At any time since the board was switched on, now included. */
  readonly sinceBoot: readonly PowerWord[];
};

export type RunTool = (command: string, commandArguments: readonly string[], timeoutMs: number) => Promise<CommandOutcome>;

const historyShift = 16;
const toolTimeoutMs = 2000;

/** Hexadecimal, with or without `0x`. Null: no such word. */
export function parseThrottled(text: string): PowerState | null {
  const digits = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return null;
  const bits = Number.parseInt(digits, 16);
  const wordsFrom = (shift: number) => powerWords.filter((_, bit) => (bits & (1 << (bit + shift))) !== 0);
  const now = wordsFrom(0);
  const history = wordsFrom(historyShift);
  return { now, sinceBoot: powerWords.filter((word) => now.includes(word) || history.includes(word)) };
}

/**
 * The firmware's word from sysfs; else the kernel's alarm of the supply (hwmon `rpi_volt`), which knows nothing of before;
 * else from `vcgencmd`, where `run` is given. Null on other boards.
 */
export async function readPower(sys: string, run: RunTool | null): Promise<PowerState | null> {
  const fromFirmware = parseThrottled(await readFirmwareWord(sys));
  if (fromFirmware !== null) return fromFirmware;
  const alarm = await readVoltageAlarm(sys);
  if (alarm !== null) return alarm;
  if (run === null) return null;
  const outcome = await run('vcgencmd', ['get_throttled'], toolTimeoutMs);
  return outcome.kind === 'finished' && outcome.exitCode === 0 ? parseThrottled(outcome.stdout) : null;
}

/** `soc/soc:firmware` up to the Raspberry Pi 4; later boards have the address of the bus in both names. */
async function readFirmwareWord(sys: string): Promise<string> {
  const platform = `${sys}/devices/platform`;
  for (const soc of (await names(platform)).filter((name) => name.startsWith('soc'))) {
    for (const firmware of (await names(`${platform}/${soc}`)).filter((name) => name.endsWith(':firmware'))) {
      const word = await read(`${platform}/${soc}/${firmware}/get_throttled`);
      if (word !== '') return word;
    }
  }
  return '';
}

async function readVoltageAlarm(sys: string): Promise<PowerState | null> {
  for (const sensor of await names(`${sys}/class/hwmon`)) {
    const folder = `${sys}/class/hwmon/${sensor}`;
    if ((await read(`${folder}/name`)).trim() !== 'rpi_volt') continue;
    const alarm = (await read(`${folder}/in0_lcrit_alarm`)).trim();
    if (alarm === '0') return { now: [], sinceBoot: [] };
    if (alarm === '1') return { now: ['under-voltage'], sinceBoot: ['under-voltage'] };
  }
  return null;
}

function names(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
