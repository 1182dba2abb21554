/** A real agent, and a device over plain MQTT, behind a real load balancer: the server that holds them is killed with its relay, as its container is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import { agentProgram } from '../device/agent-program.ts';
import { endAllOf } from '../fleet-server/left-behind.ts';
import { signIn } from '../fleet-server/process/writes.ts';
import { canBalance, LoadBalancer, type Ports } from '../fleet-server/servers/load-balancer.ts';
import { type OneServer, ServersUnderTest } from '../fleet-server/servers/servers-under-test.ts';
import { timeUntil, until } from '../until.ts';

const needed = canBalance ? '' : ' (skipped: needs libnginx-mod-stream)';
/** As long as devices may need to be at another server. */
const backWithinMs = 30_000;

const portsOf = ({ environment, mqttPort, rtmpPort }: OneServer): Ports => ({
  http: Number(environment['FLEET_HTTP_PORT']),
  mqtt: mqttPort,
  rtmp: rtmpPort,
});
const deviceAt = (server: OneServer, id: string) => server.json<DeviceDetail>('GET', `/devices/${id}`);
const done = async (server: OneServer, id: string) => {
  const command = await server.json<CommandStatus>('POST', `/devices/${id}/commands`, { kind: 'restart-pipeline' });
  await until('done', backWithinMs, async () => {
    const { state } = await server.json<CommandStatus>('GET', `/devices/${id}/commands/${command.id}`);
    return state === 'done';
  });
};

async function startAgent(url: string, joinToken: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'msl-balanced-'));
  const environment = { FLEET_URL: url, FLEET_JOIN_TOKEN: joinToken, AGENT_STATE_DIR: join(folder, 'agent'), AV_VIDEO_SOURCE: 'test' };
  const small = { AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '180', AV_DISABLE_AUDIO: '1' };
  const env = { PATH: process.env['PATH'], HOME: folder, ...environment, ...small };
  const agent = spawn(process.execPath, [agentProgram], { env, stdio: 'ignore' });
  const ended = once(agent, 'exit');
  onTestFinished(async () => {
    agent.kill('SIGTERM');
    await ended;
    await endAllOf(folder);
    await rm(folder, { recursive: true, force: true });
  });
}

/** How many devices are connected to this one. */
async function connections({ url }: OneServer, cookie: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { cookie } })).text();
  return Number(/^makespacelive_mqtt_connections (\d+)$/m.exec(text)?.[1]);
}

it.skipIf(!canBalance)(
  `behind the load balancer of the compose file an agent and its picture are at the other server after a kill${needed}`,
  async () => {
    const balancer = await LoadBalancer.prepare();
    onTestFinished(() => balancer.remove());
    const url = `http://127.0.0.1:${balancer.ports.http}`;
    const fleet = await ServersUnderTest.start(2, { FLEET_PUBLIC_URL: url, FLEET_PUBLIC_RTMP_PORT: String(balancer.ports.rtmp) });
    onTestFinished(() => fleet.remove());
    await balancer.start(fleet.servers.map(portsOf));
    const cookie = await signIn(url);
    const [first, second] = [fleet.server(0), fleet.server(1)];

    const { token } = await first.json<{ token: string }>('POST', '/join-tokens', {});
    await startAgent(url, token);
    const agentId = await until('the agent', 60_000, async () => (await first.json<DeviceList>('GET', '/devices')).devices[0]?.id);
    for (const server of [first, second])
      await until('its picture', 60_000, async () => (await deviceAt(server, agentId)).stream.kind === 'live');
    const holder = (await connections(first, cookie)) === 1 ? first : second;
    expect(await connections(holder, cookie)).toBe(1);
    const other = holder === first ? second : first;
    // In its newest life.
    const running = ({ url: its }: OneServer) => fleet.servers.findLast((server) => server.url === its) ?? first;
    await done(other, agentId);

    // Over MQTT’s own port; it goes to whichever has fewer.
    const plain = await fleet.join(first, 'plain');
    await until('let in', 5000, () => plain.connect(balancer.ports.mqtt).then(() => true));
    await done(second, plain.id);

    // All of it is at the one that is left, by the time that the second is killed.
    for (const [dead, living] of [
      [holder, other],
      [other, holder],
    ] as const) {
      await fleet.killWithRelay(running(dead));
      const there = running(living);
      const back = await timeUntil('a command', backWithinMs, () => done(there, agentId).then(() => true));
      expect((await deviceAt(there, agentId)).presence.state).toBe('online');
      const picture = await timeUntil('its picture', backWithinMs, async () => (await deviceAt(there, agentId)).stream.kind === 'live');
      console.info(`a command reaches the agent ${back} ms after the kill, and its picture is there after another ${picture} ms`);
      // Pages go on, too: the balancer leaves out what does not answer.
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      if (!plain.isConnected) await plain.connect(balancer.ports.mqtt);
      await done(there, plain.id);

      const again = await fleet.again(dead);
      await until('the same at both', backWithinMs, async () => (await deviceAt(again, agentId)).stream.kind === 'live');
      await done(again, agentId);
    }
  },
  300_000,
);
