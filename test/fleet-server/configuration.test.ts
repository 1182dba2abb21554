import { expect, test } from 'vitest';
import { describeProblems, parseConfiguration } from '#fleet-server/configuration.ts';

test('without a word everything has its default', () => {
  expect(parseConfiguration({ HOME: '/home/someone' })).toEqual({
    kind: 'configuration',
    configuration: {
      httpHost: '0.0.0.0',
      httpPort: 8080,
      mqttPort: 1883,
      rtmpPort: 1935,
      publicRtmpPort: 1935,
      dataDirectory: '/home/someone/.local/share/makespacelive/fleet-server',
      databaseUrl: null,
      keyFile: null,
      publicUrl: null,
      serverUrl: expect.stringMatching(/^http:\/\/[^/]+:8080$/),
      tls: null,
      trustedProxies: [],
      adminPassword: null,
      connectionsOfAddress: 1024,
      writesPerMinute: 120,
      logLevel: 'info',
      externalBroker: null,
    },
  });
});

test('every problem is listed at once, with what was expected and what came, and a password is never shown', () => {
  const parsed = parseConfiguration({
    FLEET_HTTP_PORT: '99999',
    FLEET_MQTT_PORT: 'mqtt',
    FLEET_RTMP_PORT: '-1',
    FLEET_HTTP_HOST: 'a b',
    FLEET_PUBLIC_URL: 'fleet.example.org/path',
    FLEET_ADMIN_PASSWORD: 'short!',
    FLEET_LOG_LEVEL: 'loud',
    FLEET_WRITES_PER_MINUTE: '5',
    FLEET_CONNECTIONS_OF_ADDRESS: '9000',
    FLEET_TLS_CERT: '/etc/fleet/cert.pem',
    FLEET_TRUSTED_PROXIES: '127.0.0.1,proxy',
    FLEET_DATABASE_URL: 'mysql://fleet:geheim@host/fleet',
  });
  if (parsed.kind !== 'problems') throw new Error('expected problems');
  const text = describeProblems(parsed.problems);
  expect(
    text
      .split('\n')
      .map((line) => line.split(':', 1)[0])
      .toSorted(),
  ).toEqual([
    'FLEET_ADMIN_PASSWORD',
    'FLEET_CONNECTIONS_OF_ADDRESS',
    'FLEET_DATABASE_URL',
    'FLEET_HTTP_HOST',
    'FLEET_HTTP_PORT',
    'FLEET_LOG_LEVEL',
    'FLEET_MQTT_PORT',
    'FLEET_PUBLIC_URL',
    'FLEET_RTMP_PORT',
    'FLEET_TLS_KEY',
    'FLEET_TRUSTED_PROXIES',
    'FLEET_WRITES_PER_MINUTE',
  ]);
  expect(text).toContain('FLEET_HTTP_PORT: expected a port from 0 (a free one) to 65535, got "99999"');
  expect(text).not.toContain('short!');
  expect(text).not.toContain('geheim');
});

test.each([
  [{ FLEET_HTTP_PORT: '1883' }, 'FLEET_MQTT_PORT'],
  [{ FLEET_RTMP_PORT: '8080' }, 'FLEET_RTMP_PORT'],
])('two services on one port: %o', (environment, variable) => {
  const parsed = parseConfiguration(environment);
  expect(parsed.kind === 'problems' ? parsed.problems.map((problem) => problem.variable) : []).toEqual([variable]);
});

test.each([
  ['https://fleet.example.org', 'https://fleet.example.org'],
  ['http://fleet.local:8080/', 'http://fleet.local:8080'],
])('the public address %s', (given, expected) => {
  const parsed = parseConfiguration({ FLEET_PUBLIC_URL: given });
  expect(parsed.kind === 'configuration' ? parsed.configuration.publicUrl : null).toBe(expected);
});

const externalBroker = (environment: Record<string, string>) => {
  const parsed = parseConfiguration({ HOME: '/home/someone', ...environment });
  return parsed.kind === 'problems' ? describeProblems(parsed.problems) : parsed.configuration.externalBroker;
};
const FLEET_MQTT_URL = 'mqtts://fleet:geheim%40@broker.example.org';
const FLEET_MQTT_HOOK_SECRET = 'h'.repeat(32);

test('an external broker: its address, as whom, and who lets devices in', () => {
  const address = { isTls: true, host: 'broker.example.org', port: 8883, username: 'fleet', password: 'geheim@' };
  const hooks = { kind: 'hooks', secret: FLEET_MQTT_HOOK_SECRET };
  expect(externalBroker({ FLEET_MQTT_URL, FLEET_MQTT_HOOK_SECRET })).toEqual({ address, deviceUrl: null, caFile: null, access: hooks });
  expect(
    externalBroker({
      FLEET_MQTT_URL: 'mqtt://fleet:x@[::1]:1884',
      FLEET_MQTT_ADMIN: 'admin:a:b',
      FLEET_MQTT_PUBLIC_URL: 'wss://broker.example.org/mqtt',
      FLEET_MQTT_CA_FILE: '/etc/ca.pem',
    }),
  ).toEqual({
    address: { isTls: false, host: '::1', port: 1884, username: 'fleet', password: 'x' },
    deviceUrl: 'wss://broker.example.org/mqtt',
    caFile: '/etc/ca.pem',
    access: { kind: 'dynamic-security', username: 'admin', password: 'a:b' },
  });
});

test.each([
  ['nobody lets devices in', { FLEET_MQTT_URL }, /FLEET_MQTT_HOOK_SECRET: expected this one or FLEET_MQTT_ADMIN.*neither/],
  ['two do', { FLEET_MQTT_URL, FLEET_MQTT_HOOK_SECRET, FLEET_MQTT_ADMIN: 'a:geheim' }, /got both/],
  ['no broker for them', { FLEET_MQTT_HOOK_SECRET }, /FLEET_MQTT_URL: expected an address, because FLEET_MQTT_HOOK_SECRET is set/],
  ['no user', { FLEET_MQTT_URL: 'mqtt://broker', FLEET_MQTT_HOOK_SECRET }, /FLEET_MQTT_URL: expected an address such as mqtts/],
  ['a path', { FLEET_MQTT_URL: 'mqtt://a:geheim@broker/path', FLEET_MQTT_HOOK_SECRET }, /FLEET_MQTT_URL: .*not shown/],
  ['another protocol', { FLEET_MQTT_URL: 'https://a:geheim@broker', FLEET_MQTT_HOOK_SECRET }, /FLEET_MQTT_URL/],
  ['a broken escape', { FLEET_MQTT_URL: 'mqtt://a:geheim%zz@broker', FLEET_MQTT_HOOK_SECRET }, /FLEET_MQTT_URL/],
  ['a short secret', { FLEET_MQTT_URL, FLEET_MQTT_HOOK_SECRET: 'geheim' }, /FLEET_MQTT_HOOK_SECRET: expected at least 32/],
  ['an administrator without a password', { FLEET_MQTT_URL, FLEET_MQTT_ADMIN: 'geheim' }, /FLEET_MQTT_ADMIN: expected the name/],
  ['a user for devices', { FLEET_MQTT_URL, FLEET_MQTT_HOOK_SECRET, FLEET_MQTT_PUBLIC_URL: 'mqtt://a:geheim@b' }, /FLEET_MQTT_PUBLIC_URL/],
])('an external broker: %s', (_name, environment, expected) => {
  const problems = externalBroker(environment);
  expect(problems).toMatch(expected);
  expect(problems).not.toContain('geheim');
});
