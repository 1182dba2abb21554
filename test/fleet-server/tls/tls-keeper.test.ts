/** A real server with certificates that OpenSSL made: HTTP, MQTT over TCP and over WebSocket, and the device's own client. */
import { copyFileSync, renameSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFleet } from '#device/doctor/fleet-checks.ts';
import { measureOffset } from '#device/health/fleet-clock.ts';
import { systemClock } from '#device/media/clock.ts';
import { requestEnrolment } from '#device/uplink/enrolment-request.ts';
import { fleetTrust } from '#device/uplink/fleet-trust.ts';
import { MqttConnection } from '#device/uplink/mqtt-connection.ts';
import { readTls } from '#fleet-server/tls/certificate.ts';
import { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';
import { endAllOf } from '../left-behind.ts';
import { manualClock } from '../manual-clock.ts';
import { environmentFor, type RunningServer, startServer } from '../running-server.ts';
import { Authority, type Issued } from './authority.ts';

let folder: string;
let authority: Authority;
let served: Issued;
let servers: RunningServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'msl-tls-'));
  authority = new Authority(folder);
  served = authority.issue('served');
  servers = [];
});
afterEach(async () => {
  for (const { child, exit } of servers) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exit;
  }
  await endAllOf(folder);
  await rm(folder, { recursive: true, force: true });
});

async function start(changes: Record<string, string> = {}) {
  const data = join(folder, `data-${servers.length}`);
  await mkdir(data);
  const tls = { FLEET_TLS_CERT: served.certFile, FLEET_TLS_KEY: served.keyFile };
  const environment = await environmentFor(data, { ...tls, FLEET_ADMIN_PASSWORD: 'a password for tests', ...changes });
  const server = startServer(environment);
  servers.push(server);
  const url = `https://localhost:${environment['FLEET_HTTP_PORT']}`;
  return { server, url, mqttPort: Number(environment['FLEET_MQTT_PORT']), httpPort: Number(environment['FLEET_HTTP_PORT']) };
}

type Answer = { readonly status: number; readonly cookie: string; readonly text: string };

function ask(
  address: string,
  options: { readonly method?: string; readonly cookie?: string; readonly body?: object } = {},
): Promise<Answer> {
  const { method = 'GET', cookie = '', body } = options;
  const ca = fleetTrust(authority.caFile)();
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const sent = request(address, { method, headers, agent: false, ...ca }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, cookie: response.headers['set-cookie']?.[0] ?? '', text }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The name in the certificate that a port serves now. */
function servedBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ...fleetTrust(authority.caFile)() }, () => {
      resolve(String(socket.getPeerCertificate().subject['CN']));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('TLS', { timeout: 90_000 }, () => {
  test('HTTP, MQTT and MQTT over WebSocket are served with the certificate, and a device joins with the fleet’s own authority', async () => {
    const { server, url, mqttPort } = await start();
    await server.ready;
    const signedIn = await ask(`${url}/api/v1/session`, { method: 'POST', body: { name: 'admin', password: 'a password for tests' } });
    expect(signedIn).toMatchObject({ status: 200 });
    expect(signedIn.cookie).toMatch(/^__Host-msl-session=.*; Secure/);
    const cookie = signedIn.cookie.split(';', 1)[0] ?? '';
    const made = await ask(`${url}/api/v1/join-tokens`, { method: 'POST', cookie, body: {} });
    const { token } = JSON.parse(made.text) as { token: string };

    const trust = fleetTrust(authority.caFile);
    const { signal } = new AbortController();
    expect(await requestEnrolment(url, { joinToken: token, name: 'pi' }, signal)).toMatchObject({ kind: 'unreachable' });
    const joined = await requestEnrolment(url, { joinToken: token, name: 'pi' }, signal, trust);
    if (joined.kind !== 'joined') throw new Error(joined.reason);
    const { deviceId, credential } = joined.answer;
    expect(await measureOffset(url, systemClock, trust)).not.toBeNull();
    const subject = { url, credentials: { fleetUrl: url, deviceId, credential }, hasToken: true };
    expect(await checkFleet({ ...subject, caFile: authority.caFile })).toMatchObject([
      { state: 'pass' },
      { state: 'pass' },
      { state: 'pass' },
    ]);
    expect((await checkFleet(subject))[0]).toMatchObject({ state: 'fail', detail: expect.stringContaining('FLEET_CA_FILE') });

    const connection = new MqttConnection({
      url: `${url.replace('https', 'wss')}/mqtt`,
      clientId: deviceId,
      password: credential,
      ...trust(),
      will: { topic: `msl/v1/d/${deviceId}/presence`, payload: '{}' },
      clock: systemClock,
      onMessage: () => {},
    });
    expect(await connection.open()).toBe(true);
    await connection.close();
    const options = { clientId: deviceId, username: deviceId, password: credential, protocolVersion: 4 as const, reconnectPeriod: 0 };
    const client = await connectAsync(`mqtts://localhost:${mqttPort}`, { ...options, ...trust() });
    expect(client.connected).toBe(true);
    await client.endAsync();
  });

  test('what cannot be served ends the start in one clear line', async () => {
    const { server } = await start({ FLEET_TLS_KEY: authority.issue('other').keyFile });
    expect(await server.exit).toMatchObject({ code: 78 });
    expect(server.output()).toMatch(
      /^The configuration is wrong; nothing was started\.\nFLEET_TLS_KEY: expected the key of the certificate [^\n]+\n$/,
    );
  });

  test('behind a proxy that is trusted, its word about the client counts, and nobody else’s', async () => {
    const { server, httpPort } = await start({
      FLEET_TLS_CERT: '',
      FLEET_TLS_KEY: '',
      FLEET_TRUSTED_PROXIES: '127.0.0.0/8',
      FLEET_PUBLIC_URL: 'https://fleet.example.org',
    });
    await server.ready;
    const attempt = async (address: string) => {
      const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.7, ${address}`, 'x-forwarded-proto': 'https' },
        body: '{}',
      });
      return response.status;
    };
    // What an address may try in a minute is counted for the client, not for the proxy.
    const statuses: number[] = [];
    for (let turn = 0; turn < 21; turn += 1) statuses.push(await attempt('203.0.113.1'));
    expect(statuses.at(-1)).toBe(429);
    expect(await attempt('203.0.113.2')).not.toBe(429);
  });
});

test('new files are served without a restart; while they are wrong the old ones are, and one line says why', async () => {
  const clock = { ...manualClock(Date.now()) };
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const log = { debug: write, info: write, warn: write, error: write };
  const read = readTls(served, clock.nowMs());
  if (read.kind !== 'material') throw new Error(read.line);
  const { createServer } = await import('node:tls');
  const keeper = new TlsKeeper(served, read.material, clock);
  const server = createServer({ cert: read.material.cert, key: read.material.key }, (socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  keeper.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  keeper.start(log);
  expect(await servedBy(port)).toBe('served');

  const next = authority.issue('next');
  // First the certificate alone: for a moment it does not fit the key.
  copyFileSync(next.certFile, `${served.certFile}.new`);
  renameSync(`${served.certFile}.new`, served.certFile);
  await clock.advance(30_000);
  expect(lines).toEqual([expect.stringContaining('goes on being served. FLEET_TLS_KEY: expected the key of the certificate')]);
  expect(await servedBy(port)).toBe('served');

  copyFileSync(next.keyFile, served.keyFile);
  await clock.advance(10_000);
  expect(lines.at(-1)).toBe('the certificate was exchanged');
  expect(await servedBy(port)).toBe('next');
  keeper.stop();
  keeper.stop();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
