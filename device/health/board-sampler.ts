/** What the board says of itself: memory, disk, load, heat. What cannot be read is left out or nought. */
import { readdir, readFile, statfs } from 'node:fs/promises';
import { loadavg, totalmem, uptime } from 'node:os';
import type { BoardHealth } from '#protocol/messages.ts';

export type BoardSamplerOptions = {
  /** The disk that matters is the one that the state is on. */
  readonly stateDirectory: string;
  /** Other roots are for tests. */
  readonly proc?: string;
  readonly sys?: string;
};

/** The media host tells its own size, each second. */
export type BoardSample = Omit<BoardHealth, 'mediaHostRssBytes'>;

export async function sampleBoard(options: BoardSamplerOptions): Promise<BoardSample> {
  const { stateDirectory, proc = '/proc', sys = '/sys' } = options;
  const [meminfo, wireless, throttledText, disk, temperatureC] = await Promise.all([
    read(`${proc}/meminfo`),
    read(`${proc}/net/wireless`),
    read(`${sys}/devices/platform/soc/soc:firmware/get_throttled`),
    statfs(stateDirectory).catch(() => null),
    readTemperature(sys),
  ]);
  const memory = parseMeminfo(meminfo);
  const wifiSignalDbm = parseWifiSignal(wireless);
  const throttled = parseThrottled(throttledText);
  return {
    uptimeS: Math.round(uptime()),
    loadAverage1m: loadavg()[0] ?? 0,
    memoryTotalBytes: memory.totalBytes ?? totalmem(),
    memoryAvailableBytes: memory.availableBytes ?? 0,
    agentRssBytes: process.memoryUsage.rss(),
    diskTotalBytes: disk === null ? 0 : disk.blocks * disk.bsize,
    diskFreeBytes: disk === null ? 0 : disk.bavail * disk.bsize,
    ...(temperatureC === undefined ? {} : { temperatureC }),
    ...(throttled === undefined ? {} : { throttled }),
    ...(wifiSignalDbm === undefined ? {} : { wifiSignalDbm }),
  };
}

/** proc(5): sizes in KiB. */
export function parseMeminfo(text: string): { readonly totalBytes: number | undefined; readonly availableBytes: number | undefined } {
  const bytesOf = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  return { totalBytes: bytesOf('MemTotal'), availableBytes: bytesOf('MemAvailable') };
}

/** The first interface's level; drivers that give no dBm show a number from 0 up, which is left out. */
export function parseWifiSignal(text: string): number | undefined {
  const level = /^\s*\w+:\s+\S+\s+\S+\s+(-\d+)/m.exec(text)?.[1];
  return level === undefined ? undefined : Number(level);
}

/** The Raspberry Pi's firmware: bits 0 to 3 are under-voltage, capped, throttled and soft limit, now; the upper ones are history. */
export function parseThrottled(text: string): boolean | undefined {
  const bits = Number.parseInt(text.trim(), 16);
  return Number.isNaN(bits) ? undefined : (bits & 0b1111) !== 0;
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
