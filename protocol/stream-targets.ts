/** The targets of a device's stream: the first, and further ones that get the same. One list for whoever plans, judges, shows or lays them out. */
import type { SettingKey } from '#protocol/settings.ts';

export type StreamTarget = { readonly number: number; readonly address: SettingKey; readonly key: SettingKey };

/** Each is a connection and takes the whole bitrate of the uplink once more. */
export const furtherNumbers = [2, 3, 4, 5, 6, 7, 8, 9] as const;

export const furtherTargets: readonly StreamTarget[] = furtherNumbers.map((number) => ({
  number,
  address: `AV_STREAM_URL_${number}` as const,
  key: `AV_STREAM_KEY_${number}` as const,
}));

export const streamTargets: readonly StreamTarget[] = [{ number: 1, address: 'AV_STREAM_URL', key: 'AV_STREAM_KEY' }, ...furtherTargets];

const addresses: ReadonlySet<string> = new Set(streamTargets.map(({ address }) => address));

export function isStreamAddress(key: string): boolean {
  return addresses.has(key);
}
