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
      logLevel: 'info',
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
    'FLEET_DATABASE_URL',
    'FLEET_HTTP_HOST',
    'FLEET_HTTP_PORT',
    'FLEET_LOG_LEVEL',
    'FLEET_MQTT_PORT',
    'FLEET_PUBLIC_URL',
    'FLEET_RTMP_PORT',
    'FLEET_TLS_KEY',
    'FLEET_TRUSTED_PROXIES',
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
