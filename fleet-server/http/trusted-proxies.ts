/** Whose word about the client is believed: the proxies that FLEET_TRUSTED_PROXIES names. Pure but for node:net's reading of addresses. */
import { BlockList, isIP } from 'node:net';

export type IsTrusted = (address: string) => boolean;

/** Addresses and networks (`10.0.0.0/8`), with commas between them; undefined when one of them is none. */
export function parseTrustedProxies(text: string): readonly string[] | undefined {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.every(isAddressOrNetwork) ? entries : undefined;
}

function isAddressOrNetwork(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

export function trustOf(entries: readonly string[]): IsTrusted {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    // A server that listens on IPv6 sees IPv4 as `::ffff:10.0.0.1`.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/** The last address before the proxies that are believed; what stands before that may be made up by anybody. */
export function clientAddress(remote: string, forwardedFor: string | undefined, isTrusted: IsTrusted): string {
  const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
  let address = remote;
  while (isTrusted(address)) {
    const before = hops.pop();
    if (before === undefined || isIP(before) === 0) return address;
    address = before;
  }
  return address;
}
