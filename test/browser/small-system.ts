/** A fleet server and one device, each a real process, without what "npm start" does around them: there within seconds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../child-environment.ts';
import { agentProgram } from '../device/agent-program.ts';
import { endAllOf } from '../fleet-server/left-behind.ts';
import { environmentFor, startServer } from '../fleet-server/running-server.ts';
import { until } from '../until.ts';

export const adminPassword = 'correct horse battery staple';
const json = { 'content-type': 'application/json' };

export type SmallSystem = {
  readonly url: string;
  readonly deviceName: string;
  /** The device goes away, as when it is switched off in good order. */
  stopDevice(): Promise<void>;
  stop(): Promise<void>;
};

export async function startSmallSystem(): Promise<SmallSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'msl-pages-'));
  const server = startServer(await environmentFor(folder, { FLEET_ADMIN_PASSWORD: adminPassword }));
  let device: ChildProcess | null = null;
  const stopDevice = async (): Promise<void> => {
    if (device === null || device.exitCode !== null || device.signalCode !== null) return;
    device.kill('SIGTERM');
    await once(device, 'exit');
  };
  const stop = async (): Promise<void> => {
    await stopDevice();
    if (server.child.exitCode === null) server.child.kill('SIGTERM');
    await server.exit;
    await endAllOf(folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { url } = await server.ready;
    const { cookie, token } = await joinToken(url);
    device = spawn(process.execPath, [agentProgram], {
      env: {
        ...childEnvironment(),
        AGENT_STATE_DIR: join(folder, 'agent'),
        FLEET_URL: url,
        FLEET_JOIN_TOKEN: token,
        AV_VIDEO_SOURCE: 'test',
        AV_VIDEO_WIDTH: '640',
        AV_VIDEO_HEIGHT: '360',
        AV_VIDEO_FRAMERATE: '10',
      },
      stdio: 'ignore',
    });
    const deviceName = await until('the device to be there', 30_000, async () => {
      const answer = await fetch(`${url}/api/v1/devices`, { headers: { cookie } });
      const { devices } = (await answer.json()) as { devices: { name: string; presence: { state: string } }[] };
      return devices.find(({ presence }) => presence.state === 'online')?.name;
    });
    return { url, deviceName, stopDevice, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function joinToken(url: string): Promise<{ readonly cookie: string; readonly token: string }> {
  const body = JSON.stringify({ name: 'admin', password: adminPassword });
  const session = await fetch(`${url}/api/v1/session`, { method: 'POST', headers: json, body });
  const cookie = session.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const answer = await fetch(`${url}/api/v1/join-tokens`, { method: 'POST', headers: { ...json, cookie }, body: '{"uses":1}' });
  const { token } = (await answer.json()) as { token: string };
  return { cookie, token };
}
