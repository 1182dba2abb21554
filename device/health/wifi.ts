/** The Wi-Fi link: its signal from `/proc/net/wireless`, its rate from `iw` where that is installed. */
import type { RunTool } from '#device/health/power.ts';

export type WifiSignal = { readonly networkInterface: string; readonly signalDbm: number };

const toolTimeoutMs = 2000;

/**
 * Of several radios the one that the device's traffic takes, by `/proc/net/route`; else the first that tells its level. Drivers that give no
 * dBm show a number from 0 up, which is left out.
 */
export function parseWifiSignal(text: string, routes = ''): WifiSignal | undefined {
  const radios = [...text.matchAll(/^\s*([\w.-]+):\s+\S+\s+\S+\s+(-?\d+)/gm)].map(([, networkInterface = '', level]) => ({
    networkInterface,
    signalDbm: Number(level),
  }));
  const [used] = defaultInterfaces(routes).flatMap((name) => radios.filter(({ networkInterface }) => networkInterface === name));
  const radio = used ?? radios.find(({ signalDbm }) => signalDbm < 0);
  return radio === undefined || radio.signalDbm >= 0 ? undefined : radio;
}

/** Those with a default route, the preferred one first: the columns are name, destination, gateway, flags, two counters, metric, mask. */
function defaultInterfaces(routes: string): readonly string[] {
  const rows = routes.split('\n').map((line) => line.trim().split(/\s+/));
  const isDefault = ([, destination, , , , , , mask]: readonly string[]) => destination === '00000000' && mask === '00000000';
  return rows
    .filter(isDefault)
    .toSorted((one, other) => Number(one[6]) - Number(other[6]))
    .map(([name = '']) => name);
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
