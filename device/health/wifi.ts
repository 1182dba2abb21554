/** The Wi-Fi link: its signal from `/proc/net/wireless`, its rate from `iw` where that is installed. */
import type { RunTool } from '#device/health/power.ts';

export type WifiSignal = { readonly networkInterface: string; readonly signalDbm: number };

const toolTimeoutMs = 2000;

/** The first interface's level; drivers that give no dBm show a number from 0 up, which is left out. */
export function parseWifiSignal(text: string): WifiSignal | undefined {
  const match = /^\s*([\w.-]+):\s+\S+\s+\S+\s+(-\d+)/m.exec(text);
  return match?.[1] === undefined ? undefined : { networkInterface: match[1], signalDbm: Number(match[2]) };
}

/** From `iw dev wlan0 link`: `tx bitrate: 72.2 MBit/s MCS 7 short GI`. */
export function parseWifiRate(text: string): number | undefined {
  const rate = /^\s*tx bitrate:\s*(\d+(?:\.\d+)?) MBit\/s/m.exec(text)?.[1];
  return rate === undefined ? undefined : Number(rate);
}

/** Mbit/s; undefined where `iw` is not installed, or the interface has no link. */
export async function readWifiRate(networkInterface: string, run: RunTool): Promise<number | undefined> {
  const outcome = await run('iw', ['dev', networkInterface, 'link'], toolTimeoutMs);
  return outcome.kind === 'finished' && outcome.exitCode === 0 ? parseWifiRate(outcome.stdout) : undefined;
}
