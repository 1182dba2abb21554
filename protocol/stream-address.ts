/**
 * Addresses of streams, as a fleet server takes and shows them. Pure.
 *
 * INVARIANT: they are no secrets: everybody who may look at a device sees them. So a fleet server takes none with a user, a password or a
 * query, and shows none of what older versions took. The device's own environment may have such an address; the device tells less of it.
 */
import { describeValue, isSettingKey, type SettingKey, type SettingProblem, type SettingValue } from '#protocol/settings.ts';
import { streamTargets } from '#protocol/stream-targets.ts';

/** The setting that holds the stream key of an address. */
export const keyOfAddress: { readonly [K in SettingKey]?: SettingKey } = Object.fromEntries(
  streamTargets.map(({ address, key }) => [address, key]),
);

/** What is wrong with a value that is well formed, where it comes from a fleet server; null: nothing. */
export function remoteProblem(key: string, value: SettingValue): SettingProblem | null {
  const streamKey = isSettingKey(key) ? keyOfAddress[key] : undefined;
  if (streamKey === undefined || typeof value !== 'string' || !/[@?#]/.test(value)) return null;
  const expected =
    `an address without "@", "?" and "#", as everybody who may look sees it; a key or token belongs into ${streamKey}, ` +
    'which is joined to the address by a slash and may have a query, a user and password into the device’s own environment';
  return { key, expected, came: describeValue(value) };
}

/** The value of any setting that is not a secret, as it may be shown. */
export function shownSetting(key: string, value: SettingValue): SettingValue {
  if (!isSettingKey(key) || keyOfAddress[key] === undefined || typeof value !== 'string') return value;
  const [, scheme = '', host = '', path = ''] = /^(rtmps?:\/\/)(?:[^/?#]*@)?([^/?#]*)(\/[^?#]*)?/.exec(value) ?? [];
  if (scheme === '') return value === '' ? '' : 'rtmp://…';
  // A name or a password with a slash in it is not told from a host.
  return path.includes('@') ? `${scheme}…` : `${scheme}${host}${path}`;
}
