import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { until } from '../until.ts';
import { endAllOf, leftBehind } from './left-behind.ts';
import { environmentFor, type RunningServer, startServer } from './running-server.ts';

let directory: string;
let servers: RunningServer[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-server-'));
  servers = [];
});
afterEach(async () => {
  for (const { child, exit } of servers) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exit;
  }
  await endAllOf(directory);
  await rm(directory, { recursive: true, force: true });
});

function start(environment: NodeJS.ProcessEnv, argumentList: readonly string[] = []): RunningServer {
  const server = startServer(environment, argumentList);
  servers.push(server);
  return server;
}

/** Each starts processes of its own, up to four after another: on a busy machine that takes a while. */
const processTestMs = 90_000;
const password = 'a password for tests';
const json = { 'content-type': 'application/json' };
const post = (url: string, body: object, cookie = '') =>
  fetch(url, { method: 'POST', headers: { ...json, cookie }, body: JSON.stringify(body) });

async function signIn(url: string, withPassword: string): Promise<string> {
  const response = await post(`${url}/api/v1/session`, { name: 'admin', password: withPassword });
  return response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
}

describe('the fleet server', { timeout: processTestMs }, () => {
  test('starts, tells its parent once how to sign in, answers, and ends in order', async () => {
    const environment = await environmentFor(directory);
    const server = start(environment);
    const { url, rtmpUrl, firstAdminPassword = '' } = await server.ready;
    expect(url).toBe(`http://127.0.0.1:${environment['FLEET_HTTP_PORT']}`);
    expect(rtmpUrl).toBe(`rtmp://127.0.0.1:${environment['FLEET_RTMP_PORT']}/live`);
    expect(firstAdminPassword).toMatch(/^[\w-]{20,}$/);
    const cookie = await signIn(url, firstAdminPassword);
    expect((await fetch(`${url}/api/v1/devices`, { headers: { cookie } })).status).toBe(200);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ok' });

    const listening = await fetch(`${url}/api/v1/changes`, { headers: { cookie } });
    expect(listening.status).toBe(200);
    const askedAtMs = performance.now();
    server.child.kill('SIGTERM');
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedAtMs).toBeLessThan(5000);
    await listening.body?.cancel().catch(() => {});
    expect(await leftBehind(directory)).toEqual([]);
    expect(server.output()).not.toContain(firstAdminPassword);

    const again = start(environment);
    expect((await again.ready).firstAdminPassword).toBeUndefined();
    again.child.disconnect();
    expect(await again.exit).toEqual({ code: 0, signal: null });
  });

  test('ends with one line and without the password when its database does not answer', async () => {
    const environment = await environmentFor(directory, { FLEET_DATABASE_URL: 'postgresql://fleet:geheim@127.0.0.1:1/fleet' });
    const server = start(environment);
    server.ready.catch(() => undefined);
    expect(await server.exit).toEqual({ code: 74, signal: null });
    expect(server.output()).toMatch(
      /^The fleet server cannot start: The database at FLEET_DATABASE_URL cannot be used: .*ECONNREFUSED.*$/m,
    );
    expect(server.output()).not.toContain('geheim');
  });

  test('is joined and steered from the command line while it runs', async () => {
    const environment = await environmentFor(directory, { FLEET_ADMIN_PASSWORD: password });
    const server = start(environment);
    const { url, firstAdminPassword } = await server.ready;
    expect(firstAdminPassword).toBeUndefined();
    const tokenMaker = start(environment, ['join-token', '--uses', '2', '--group', 'hall']);
    expect((await tokenMaker.exit).code).toBe(0);
    const joinToken = tokenMaker.output().trim();
    expect(joinToken).toMatch(/^[\w-]{43}$/);
    const joined = await post(`${url}/api/v1/enrolments`, { joinToken, name: 'pi' });
    expect(joined.status).toBe(201);
    const { deviceId } = (await joined.json()) as { deviceId: string };

    const asked = once(server.child, 'message');
    server.child.send({ kind: 'playback', deviceId });
    expect((await asked)[0]).toMatchObject({ kind: 'playback', rtmp: expect.stringContaining(`/live/${deviceId}`) });

    const cookie = await signIn(url, password);
    const { FLEET_ADMIN_PASSWORD: _given, ...withoutPassword } = environment;
    const made = await post(`${url}/api/v1/access-tokens`, { name: 'ci', scopes: ['read'], expiresInS: 3600 }, cookie);
    const headers = { authorization: `Bearer ${((await made.json()) as { token: string }).token}` };
    expect((await fetch(`${url}/api/v1/devices`, { headers })).status).toBe(200);
    const resetter = start(withoutPassword, ['admin-password']);
    expect((await resetter.exit).code).toBe(0);
    const newPassword = /^[\w-]{20,}$/m.exec(resetter.output())?.[0] ?? '';
    expect(resetter.output()).toContain('Access tokens of admin that have ended: 1.');
    expect((await fetch(`${url}/api/v1/session`, { headers: { cookie } })).status).toBe(401);
    expect((await fetch(`${url}/api/v1/devices`, { headers })).status).toBe(401);
    expect((await post(`${url}/api/v1/session`, { name: 'admin', password })).status).toBe(401);
    const again = await signIn(url, newPassword);
    expect((await post(`${url}/api/v1/people`, { name: 'boss', role: 'admin', password }, again)).status).toBe(201);
    const toViewer = { method: 'PATCH', headers: { ...json, cookie: again }, body: JSON.stringify({ role: 'viewer' }) };
    expect((await fetch(`${url}/api/v1/people/admin`, toViewer)).status).toBe(200);
    const wayBack = start(withoutPassword, ['admin-password']);
    expect((await wayBack.exit).code).toBe(0);
    expect(wayBack.output()).toContain('admin is an admin again; the role was viewer.');
  });

  test('killed with kill -9 under writes, it has every change that it had acknowledged', async () => {
    const environment = await environmentFor(directory, { FLEET_ADMIN_PASSWORD: password });
    const acknowledged = new Map<string, number>();
    let lastRevision = 0;
    let deviceId = '';
    for (let round = 0; round < 3; round += 1) {
      const server = start(environment);
      const { url } = await server.ready;
      const cookie = await signIn(url, password);
      if (deviceId === '') {
        const { token } = (await (await post(`${url}/api/v1/join-tokens`, {}, cookie)).json()) as { token: string };
        const joined = await post(`${url}/api/v1/enrolments`, { joinToken: token, name: 'pi' });
        deviceId = ((await joined.json()) as { deviceId: string }).deviceId;
      }
      const settingsUrl = `${url}/api/v1/devices/${deviceId}/settings`;
      const before = (await (await fetch(settingsUrl, { headers: { cookie } })).json()) as DeviceSettings;
      for (const [key, value] of acknowledged) {
        const shown = before.settings.find((setting) => setting.key === key)?.levels.device;
        expect(shown, `${key} in round ${round}`).toEqual({ kind: 'plain', value });
      }
      expect(before.desiredRevision).toBeGreaterThanOrEqual(lastRevision);

      const keys = ['AV_VIDEO_WIDTH', 'AV_VIDEO_HEIGHT', 'AV_VIDEO_BITRATE'];
      let isDead = false;
      const writers = keys.map(async (key) => {
        for (let value = 400 + round * 500; !isDead; value += 1) {
          try {
            const body = JSON.stringify({ [key]: value });
            const response = await fetch(settingsUrl, { method: 'PATCH', headers: { ...json, cookie }, body });
            const { desiredRevision } = (await response.json()) as DeviceSettings;
            acknowledged.set(key, value);
            lastRevision = Math.max(lastRevision, desiredRevision);
          } catch (cause) {
            // The one that was on its way when the server died: it may be there or not.
            if (!isDead) throw cause;
            acknowledged.delete(key);
          }
        }
      });
      await until('a few dozen writes', 30_000, () => lastRevision > 20 * (round + 1));
      isDead = true;
      server.child.kill('SIGKILL');
      await Promise.all(writers);
      expect(await server.exit).toEqual({ code: null, signal: 'SIGKILL' });
    }
    // The relay has outlived them all: the next server takes it over, and takes it along when it ends.
    const last = start(environment);
    await last.ready;
    last.child.kill('SIGTERM');
    expect(await last.exit).toEqual({ code: 0, signal: null });
  });
});

describe('it does not start, with one clear line, when', { timeout: processTestMs }, () => {
  test('its configuration is wrong: every problem at once', async () => {
    const server = start(await environmentFor(directory, { FLEET_HTTP_PORT: 'http', FLEET_LOG_LEVEL: 'loud' }));
    expect((await server.exit).code).toBe(78);
    expect(server.output()).toMatch(/FLEET_HTTP_PORT: expected .*, got "http"\nFLEET_LOG_LEVEL: expected .*, got "loud"\n/);
  });

  test.each(['FLEET_HTTP_PORT', 'FLEET_MQTT_PORT', 'FLEET_RTMP_PORT'])('%s is in use', async (variable) => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const server = start(await environmentFor(directory, { [variable]: String(port), FLEET_LOG_LEVEL: 'silent' }));
    expect((await server.exit).code).toBeGreaterThan(0);
    const line = server.output().trim();
    expect(line.split('\n')).toHaveLength(1);
    expect(line).toContain(`${port}`);
    expect(line).toContain(variable);
    blocker.close();
  });

  test('its data directory cannot be made', async () => {
    await writeFile(join(directory, 'a-file'), '');
    const server = start(await environmentFor(directory, { FLEET_DATA_DIR: join(directory, 'a-file', 'data') }));
    expect((await server.exit).code).toBe(74);
    expect(server.output()).toContain('FLEET_DATA_DIR');
  });

  test.each([[['nonsense']], [['join-token', '--uses', 'many']], [['join-token', '--what']]])(
    'it is asked for %j',
    async (argumentList) => {
      const server = start(await environmentFor(directory), argumentList);
      expect((await server.exit).code).toBe(64);
      expect(server.output()).not.toBe('');
    },
  );
});
