/** One fleet server on SQLite, a real mosquitto with TLS, and a real device agent: from joining to being removed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Credentials } from '#device/uplink/credentials.ts';
import type { AlertList } from '#protocol/model/alert.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import { agentProgram } from '../../../device/agent-program.ts';
import { until } from '../../../until.ts';
import { endAllOf } from '../../left-behind.ts';
import { password, request, signIn } from '../../process/writes.ts';
import { environmentFor, type RunningServer, startServer } from '../../running-server.ts';
import { Authority } from '../../tls/authority.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';

let folder: string;
let broker: Mosquitto;
let server: RunningServer;
let agent: ChildProcess;
let url: string;
let cookie: string;
let caFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'msl-external-'));
  const authority = new Authority(folder);
  caFile = authority.caFile;
  broker = await startMosquitto({ tls: authority.issue('broker') });
  const directory = join(folder, 'fleet-server');
  await mkdir(directory, { mode: 0o700 });
  const environment = { FLEET_ADMIN_PASSWORD: password, FLEET_MQTT_CA_FILE: caFile, ...broker.environment };
  server = startServer(await environmentFor(directory, environment));
  ({ url } = await server.ready);
  cookie = await signIn(url);
}, 60_000);
afterAll(async () => {
  agent?.kill('SIGTERM');
  if (agent !== undefined && agent.exitCode === null) await once(agent, 'exit');
  server?.child.kill('SIGTERM');
  await server?.exit;
  await broker?.remove();
  await endAllOf(folder);
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const call = async <T>(method: string, path: string, body?: object): Promise<T> =>
  (await request(url, cookie, method, path, body)).json() as Promise<T>;
const credentials = async () => JSON.parse(await readFile(join(folder, 'agent', 'credentials.json'), 'utf8')) as Credentials;
const opens = async ({ deviceId, credential }: Credentials): Promise<boolean> => {
  const options = { clientId: deviceId, username: deviceId, password: credential, ca: await readFile(caFile), reconnectPeriod: 0 };
  try {
    await (await connectAsync(`mqtts://127.0.0.1:${broker.port}`, options)).endAsync(true);
    return true;
  } catch {
    return false;
  }
};

function startAgent(joinToken: string): ChildProcess {
  const video = { AV_VIDEO_SOURCE: 'test', AV_DISABLE_AUDIO: '1', AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '240', AV_VIDEO_FRAMERATE: '5' };
  const fleet = { FLEET_URL: url, FLEET_JOIN_TOKEN: joinToken, FLEET_CA_FILE: caFile, AGENT_STATE_DIR: join(folder, 'agent') };
  const env = { PATH: process.env['PATH'], HOME: folder, ...fleet, ...video };
  return spawn(process.execPath, [agentProgram, 'agent'], { env, stdio: 'ignore' });
}

test('it joins, is steered, changes its credential, comes back to a broker that was away, and is cut when it is removed', {
  timeout: 180_000,
}, async () => {
  await until('the server is ready', 10_000, async () => (await fetch(`${url}/readyz`)).status === 200);
  agent = startAgent((await call<{ token: string }>('POST', '/join-tokens', {})).token);
  const device = await until('it is online', 60_000, async () => {
    const [first] = (await call<DeviceList>('GET', '/devices')).devices;
    return first?.presence.state === 'online' && first;
  });
  const shown = () => call<DeviceDetail>('GET', `/devices/${device.id}`);
  const before = await credentials();
  expect(before).toMatchObject({ deviceId: device.id, mqttUrl: `mqtts://127.0.0.1:${broker.port}` });

  await call('PATCH', `/devices/${device.id}/settings`, { AV_PREVIEW_INTERVAL: 7 });
  await until('its settings are in force', 20_000, async () => (await shown()).settings.kind === 'applied');

  const asked = await call<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'rotate-credential' });
  const changed = await until('the new credential has opened the broker', 15_000, async () => {
    const now = await credentials();
    return now.credential !== before.credential && now.former === undefined && now;
  });
  await until('done', 5000, async () => (await call<CommandStatus>('GET', `/devices/${device.id}/commands/${asked.id}`)).state === 'done');
  expect(await opens(before)).toBe(false);
  await until('it is online', 5000, async () => (await shown()).presence.state === 'online');

  await broker.stop('SIGKILL');
  await until('nobody knows', 5000, async () => (await shown()).presence.state === 'unknown');
  await broker.start();
  await until('it is online again', 20_000, async () => (await shown()).presence.state === 'online');
  expect((await call<AlertList>('GET', '/alerts')).alerts.filter(({ deviceId }) => deviceId !== null)).toEqual([]);

  expect((await request(url, cookie, 'DELETE', `/devices/${device.id}`)).status).toBe(204);
  await until('its credential opens nothing', 5000, async () => !(await opens(changed)));
  for (const secret of [before.credential, changed.credential, 'of-the-administrator', 'of-the-fleet-servers']) {
    expect(server.output()).not.toContain(secret);
  }
});
