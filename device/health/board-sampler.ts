/** What the board says of itself: memory, disk, load, heat, power, Wi-Fi. What cannot be read is left out or nought. */
import { constants } from 'node:fs';
import { access, readdir, readFile, statfs } from 'node:fs/promises';
import { loadavg, totalmem, uptime } from 'node:os';
import { runProgram } from '#device/detect/local-machine.ts';
import { readCardWear } from '#device/health/card-wear.ts';
import { type PowerState, type RunTool, readPower } from '#device/health/power.ts';
import { parseWifiSignal, readWifiRate } from '#device/health/wifi.ts';
import type { Clock } from '#device/media/clock.ts';
import { errorText } from '#device/state/state-directory.ts';
import type { BoardHealth } from '#protocol/messages.ts';

export type BoardSamplerOptions = {
  /** The disk that matters is the one that the state is on. */
  readonly stateDirectory: string;
  /** Why the last write there failed, as the system's code; null: it did not. */
  readonly stateProblem: () => string | null;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Other roots and other tools are for tests. */
  readonly proc?: string;
  readonly sys?: string;
  readonly run?: RunTool;
};

/** The media host tells its own size, each second; the health watch knows the uplink and the clock. */
export type BoardSample = Omit<BoardHealth, 'mediaHostRssBytes' | 'uplinkKbps' | 'clockOffsetMs' | 'clockPrecisionMs'>;

/** What needs a program of its own, or hardly ever changes, is asked for this seldom. */
const slowIntervalMs = 60_000;

type SlowFacts = {
  readonly wifiRateMbps: number | undefined;
  readonly power: PowerState | null;
  readonly cardWearPercent: number | undefined;
};

export class BoardSampler {
  readonly #options: Required<BoardSamplerOptions>;
  #slow: SlowFacts | null = null;
  #slowAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BoardSamplerOptions) {
    this.#options = { proc: '/proc', sys: '/sys', run: runProgram, ...options };
  }

  async sample(): Promise<BoardSample> {
    const { stateDirectory, stateProblem, proc, sys } = this.#options;
    const [meminfo, wireless, routes, disk, accessProblem, temperatureC, quickPower] = await Promise.all([
      read(`${proc}/meminfo`),
      read(`${proc}/net/wireless`),
      read(`${proc}/net/route`),
      statfs(stateDirectory).catch(() => null),
      access(stateDirectory, constants.W_OK).then(() => null, errorText),
      readTemperature(sys),
      readPower(sys, null),
    ]);
    const memory = parseMeminfo(meminfo);
    const wifi = parseWifiSignal(wireless, routes);
    const slow = await this.#slowFacts(wifi?.networkInterface ?? null, quickPower !== null);
    const power = quickPower ?? slow.power;
    const diskProblem = accessProblem ?? stateProblem();
    return {
      uptimeS: Math.round(uptime()),
      loadAverage1m: loadavg()[0] ?? 0,
      memoryTotalBytes: memory.totalBytes ?? totalmem(),
      memoryAvailableBytes: memory.availableBytes ?? 0,
      agentRssBytes: process.memoryUsage.rss(),
      diskTotalBytes: disk === null ? 0 : disk.blocks * disk.bsize,
      diskFreeBytes: disk === null ? 0 : disk.bavail * disk.bsize,
      ...(diskProblem === null ? {} : { diskProblem: diskProblem.slice(0, 200) }),
      ...(slow.cardWearPercent === undefined ? {} : { cardWearPercent: slow.cardWearPercent }),
      ...(temperatureC === undefined ? {} : { temperatureC }),
      ...(power === null ? {} : { throttled: power.now.length > 0, powerNow: [...power.now], powerSinceBoot: [...power.sinceBoot] }),
      ...(wifi === undefined ? {} : { wifiSignalDbm: wifi.signalDbm }),
      ...(wifi === undefined || slow.wifiRateMbps === undefined ? {} : { wifiRateMbps: slow.wifiRateMbps }),
    };
  }

  async #slowFacts(networkInterface: string | null, isPowerKnown: boolean): Promise<SlowFacts> {
    const { clock, sys, run } = this.#options;
    if (this.#slow !== null && clock.monotonicMs() - this.#slowAtMs < slowIntervalMs) return this.#slow;
    this.#slowAtMs = clock.monotonicMs();
    const [wifiRateMbps, power, cardWearPercent] = await Promise.all([
      networkInterface === null ? undefined : readWifiRate(networkInterface, run),
      isPowerKnown ? null : readPower(sys, run),
      readCardWear(sys),
    ]);
    this.#slow = { wifiRateMbps, power, cardWearPercent };
    return this.#slow;
  }
}

/** proc(5): sizes in KiB. */
export function parseMeminfo(text: string): { readonly totalBytes: number | undefined; readonly availableBytes: number | undefined } {
  const bytesOf = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  return { totalBytes: bytesOf('MemTotal'), availableBytes: bytesOf('MemAvailable') };
}

/** The hottest thermal zone, °C. */
async function readTemperature(sys: string): Promise<number | undefined> {
  const zones = await readdir(`${sys}/class/thermal`).catch(() => []);
  const texts = await Promise.all(
    zones.filter((name) => name.startsWith('thermal_zone')).map((name) => read(`${sys}/class/thermal/${name}/temp`)),
  );
  const temperatures = texts.map((text) => Number.parseInt(text, 10) / 1000).filter((value) => Number.isFinite(value));
  return temperatures.length === 0 ? undefined : Math.max(...temperatures);
}

/** Empty when there is no such file: then the board does not have what it tells of. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
