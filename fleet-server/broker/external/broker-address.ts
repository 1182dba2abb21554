/** Where an external broker is, and as whom this server goes there. */

export type BrokerAddress = {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** A secret. */
  readonly password: string;
};

const serverProtocols: Readonly<Record<string, { readonly isTls: boolean; readonly port: number }>> = {
  'mqtt:': { isTls: false, port: 1883 },
  'mqtts:': { isTls: true, port: 8883 },
};
const deviceProtocols: readonly string[] = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/** `mqtt://user:password@host:port` or mqtts; undefined when it is something else. */
export function parseBrokerUrl(text: string): BrokerAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const known = serverProtocols[url.protocol];
  const hasMore = (url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '';
  if (known === undefined || hasMore || url.hostname === '' || url.username === '' || url.password === '') return undefined;
  const decode = (part: string) => decodeURIComponent(part);
  try {
    return {
      isTls: known.isTls,
      // Without the brackets of IPv6, which are the address's in a URL only.
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? known.port : Number(url.port),
      username: decode(url.username),
      password: decode(url.password),
    };
  } catch {
    // A percent sign that belongs to no escape.
    return undefined;
  }
}

/** The address as devices are told it: without a user name, as each has its own. */
export function parseDeviceUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!deviceProtocols.includes(url.protocol) || url.hostname === '' || url.username !== '' || url.password !== '' || url.hash !== '') {
    return undefined;
  }
  return url.href;
}

export function deviceUrlOf({ isTls, host, port }: BrokerAddress): string {
  return `${isTls ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
