/** The environment, read once: a whole configuration, or every problem in it. */
import { homedir, hostname } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type BrokerAddress, parseBrokerUrl, parseDeviceUrl } from '#fleet-server/broker/external/broker-address.ts';
import { socketLimits } from '#fleet-server/http/socket-guard.ts';
import { parseTrustedProxies } from '#fleet-server/http/trusted-proxies.ts';
import { writePolicy } from '#fleet-server/people/write-allowance.ts';
import type { TlsFiles } from '#fleet-server/tls/certificate.ts';

export type Configuration = {
  readonly httpHost: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly rtmpPort: number;
  /** Of the relay as devices and players reach it, when a load balancer or a proxy stands in front of it. */
  readonly publicRtmpPort: number;
  readonly dataDirectory: string;
  /** `postgresql://user:password@host:port/database`, a secret; null: SQLite in the data directory. */
  readonly databaseUrl: string | null;
  /** Null: in the data directory. Servers that share a database share its content. */
  readonly keyFile: string | null;
  /** Where people and devices reach the server, when that is not the address that it listens on; without a slash at the end. */
  readonly publicUrl: string | null;
  /** Where this server alone is reached by the others on its database and by the players of what its relay receives. */
  readonly serverUrl: string;
  /** Null: HTTP and MQTT as they are; a proxy in front may speak TLS for them. */
  readonly tls: TlsFiles | null;
  /** Addresses and networks of proxies whose X-Forwarded-* headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly adminPassword: string | null;
  /** To the HTTP port. */
  readonly connectionsOfAddress: number;
  /** How much each person may change, with all of their sessions and tokens. */
  readonly writesPerMinute: number;
  readonly logLevel: LogLevel;
  /** Null: the broker in this process. */
  readonly externalBroker: ExternalBrokerConfiguration | null;
};

export type ExternalBrokerConfiguration = {
  readonly address: BrokerAddress;
  /** As devices reach it; null: as this server does. */
  readonly deviceUrl: string | null;
  readonly caFile: string | null;
  readonly access: BrokerAccessConfiguration;
};

/** Who lets devices in; both hold secrets. */
export type BrokerAccessConfiguration =
  | { readonly kind: 'hooks'; readonly secret: string }
  | { readonly kind: 'dynamic-security'; readonly username: string; readonly password: string };

export type ConfigurationProblem = { readonly variable: string; readonly expected: string; readonly came: string };
export type ParsedConfiguration =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'problems'; readonly problems: readonly ConfigurationProblem[] };

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const minimumPasswordLength = 8;
const maximumPasswordLength = 256;

export function parseConfiguration(environment: Readonly<Record<string, string | undefined>>): ParsedConfiguration {
  const problems: ConfigurationProblem[] = [];
  const read = <T>(variable: string, fallback: T, expected: string, parse: (text: string) => T | undefined, shown?: string): T => {
    const text = environment[variable]?.trim();
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    problems.push({ variable, expected, came: shown ?? JSON.stringify(text.slice(0, 100)) });
    return fallback;
  };
  const port = (variable: string, fallback: number): number =>
    read(variable, fallback, 'a port from 0 (a free one) to 65535', (text) => {
      const value = Number(text);
      return /^\d{1,5}$/.test(text) && value <= 65_535 ? value : undefined;
    });

  const httpPort = port('FLEET_HTTP_PORT', 8080);
  const rtmpPort = port('FLEET_RTMP_PORT', 1935);
  const publicUrl = read<string | null>('FLEET_PUBLIC_URL', null, 'an address such as https://fleet.example.org, without a path', parseUrl);
  const path = (variable: string) => read<string | null>(variable, null, 'a path', (text) => (isAbsolute(text) ? text : resolve(text)));
  const certFile = path('FLEET_TLS_CERT');
  const keyFile = path('FLEET_TLS_KEY');
  if ((certFile === null) !== (keyFile === null)) {
    const [variable, other] = certFile === null ? ['FLEET_TLS_CERT', 'FLEET_TLS_KEY'] : ['FLEET_TLS_KEY', 'FLEET_TLS_CERT'];
    problems.push({ variable, expected: `a path, because ${other} is set`, came: 'nothing' });
  }
  const tls = certFile === null || keyFile === null ? null : { certFile, keyFile };
  const configuration: Configuration = {
    httpHost: read('FLEET_HTTP_HOST', '0.0.0.0', 'an address to listen on, such as 0.0.0.0 or 127.0.0.1', (text) =>
      /^[A-Za-z0-9.:_-]+$/.test(text) ? text : undefined,
    ),
    httpPort,
    mqttPort: port('FLEET_MQTT_PORT', 1883),
    rtmpPort,
    publicRtmpPort: port('FLEET_PUBLIC_RTMP_PORT', rtmpPort),
    dataDirectory: read('FLEET_DATA_DIR', defaultDataDirectory(environment), 'a path', (text) => (isAbsolute(text) ? text : resolve(text))),
    databaseUrl: read<string | null>(
      'FLEET_DATABASE_URL',
      null,
      'an address such as postgresql://user:password@host:5432/database',
      (text) => (/^postgres(?:ql)?:\/\/./.test(text) && URL.canParse(text) ? text : undefined),
      'another text, which is not shown because it may hold a password',
    ),
    keyFile: path('FLEET_KEY_FILE'),
    publicUrl,
    serverUrl: read(
      'FLEET_SERVER_URL',
      publicUrl ?? `${tls === null ? 'http' : 'https'}://${hostname()}:${httpPort}`,
      'an address such as http://10.0.0.2:8080, without a path',
      parseUrl,
    ),
    tls,
    trustedProxies: read<readonly string[]>(
      'FLEET_TRUSTED_PROXIES',
      [],
      'addresses and networks with commas between them, such as 127.0.0.1,10.0.0.0/8',
      parseTrustedProxies,
    ),
    adminPassword: read<string | null>(
      'FLEET_ADMIN_PASSWORD',
      null,
      `a password of ${minimumPasswordLength} to ${maximumPasswordLength} characters`,
      (text) => (text.length >= minimumPasswordLength && text.length <= maximumPasswordLength ? text : undefined),
      'a password of another length',
    ),
    connectionsOfAddress: read(
      'FLEET_CONNECTIONS_OF_ADDRESS',
      socketLimits.ofAddress,
      `a number from 10 to ${socketLimits.total}`,
      (text) => {
        const value = Number(text);
        return /^\d{2,5}$/.test(text) && value >= 10 && value <= socketLimits.total ? value : undefined;
      },
    ),
    writesPerMinute: read('FLEET_WRITES_PER_MINUTE', writePolicy.perMinute, 'a number from 10 to 100000', (text) => {
      const value = Number(text);
      return /^\d{2,6}$/.test(text) && value >= 10 && value <= 100_000 ? value : undefined;
    }),
    logLevel: read<LogLevel>('FLEET_LOG_LEVEL', 'info', `one of ${logLevels.join(', ')}`, (text) =>
      logLevels.find((level) => level === text.toLowerCase()),
    ),
    externalBroker: parseExternalBroker(environment, read, path, problems),
  };
  const ports = [
    ['FLEET_HTTP_PORT', configuration.httpPort],
    ['FLEET_MQTT_PORT', configuration.mqttPort],
    ['FLEET_RTMP_PORT', configuration.rtmpPort],
  ] as const;
  for (const [index, [variable, value]] of ports.entries()) {
    const earlier = ports.slice(0, index).find(([, other]) => other === value && value !== 0);
    if (earlier !== undefined) problems.push({ variable, expected: `another port than ${earlier[0]}`, came: String(value) });
  }
  return problems.length === 0 ? { kind: 'configuration', configuration } : { kind: 'problems', problems };
}

type Read = <T>(variable: string, fallback: T, expected: string, parse: (text: string) => T | undefined, shown?: string) => T;
const hidden = 'another text, which is not shown because it may hold a password';
const minimumHookSecretLength = 32;

function parseExternalBroker(
  environment: Readonly<Record<string, string | undefined>>,
  read: Read,
  path: (variable: string) => string | null,
  problems: ConfigurationProblem[],
): ExternalBrokerConfiguration | null {
  const known = problems.length;
  const isSet = (variable: string) => (environment[variable]?.trim() ?? '') !== '';
  const address = read<BrokerAddress | null>(
    'FLEET_MQTT_URL',
    null,
    'an address such as mqtts://user:password@broker.example.org:8883',
    parseBrokerUrl,
    hidden,
  );
  const deviceUrl = read<string | null>(
    'FLEET_MQTT_PUBLIC_URL',
    null,
    'an address such as mqtts://broker.example.org:8883 or wss://broker.example.org/mqtt, without a user name',
    parseDeviceUrl,
    hidden,
  );
  const caFile = path('FLEET_MQTT_CA_FILE');
  const secret = read<string | null>(
    'FLEET_MQTT_HOOK_SECRET',
    null,
    `at least ${minimumHookSecretLength} letters, digits, "-" or "_"`,
    (text) => (/^[A-Za-z0-9_-]+$/.test(text) && text.length >= minimumHookSecretLength ? text : undefined),
    'another text, which is not shown',
  );
  const admin = read<{ username: string; password: string } | null>(
    'FLEET_MQTT_ADMIN',
    null,
    'the name and the password of a client of dynamic security, with a colon between them',
    (text) => {
      const [, username, password] = /^([^:]+):(.+)$/.exec(text) ?? [];
      return username === undefined || password === undefined ? undefined : { username, password };
    },
    hidden,
  );
  const others = ['FLEET_MQTT_PUBLIC_URL', 'FLEET_MQTT_CA_FILE', 'FLEET_MQTT_HOOK_SECRET', 'FLEET_MQTT_ADMIN'].filter(isSet);
  if (!isSet('FLEET_MQTT_URL')) {
    const [first] = others;
    if (first !== undefined)
      problems.push({ variable: 'FLEET_MQTT_URL', expected: `an address, because ${first} is set`, came: 'nothing' });
    return null;
  }
  if (isSet('FLEET_MQTT_HOOK_SECRET') === isSet('FLEET_MQTT_ADMIN')) {
    const came = isSet('FLEET_MQTT_ADMIN') ? 'both' : 'neither';
    problems.push({ variable: 'FLEET_MQTT_HOOK_SECRET', expected: 'this one or FLEET_MQTT_ADMIN, because FLEET_MQTT_URL is set', came });
  }
  if (address === null || problems.length > known) return null;
  if (secret !== null) return { address, deviceUrl, caFile, access: { kind: 'hooks', secret } };
  return admin === null ? null : { address, deviceUrl, caFile, access: { kind: 'dynamic-security', ...admin } };
}

function parseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return undefined;
  return url.origin;
}

/** The data folder of the XDG Base Directory Specification. */
function defaultDataDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const data = environment['XDG_DATA_HOME'];
  const base = data !== undefined && isAbsolute(data) ? data : join(environment['HOME'] ?? homedir(), '.local', 'share');
  return join(base, 'makespacelive', 'fleet-server');
}

export function describeProblems(problems: readonly ConfigurationProblem[]): string {
  return problems.map(({ variable, expected, came }) => `${variable}: expected ${expected}, got ${came}`).join('\n');
}
