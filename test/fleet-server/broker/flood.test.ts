/** One device that floods a real server with all that its connection takes, and five that only want their commands. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { encodeUpward } from '#protocol/envelope.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { History } from '#protocol/model/history.ts';
import { topicFor } from '#protocol/topics.ts';
import { timeUntil, until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { password, request, signIn } from '../process/writes.ts';
import { environmentFor, startServer } from '../running-server.ts';
import { SimpleDevice } from '../servers/simple-device.ts';

const rounds = 6;
/** Beside what it took without a flood, on the same machine a moment before: a flood that is not slowed makes minutes of it. */
const roundTripMs = 3000;
const maxSlowdown = 10;

type Joined = { readonly deviceId: string; readonly credential: string };

/** Sends as fast as the connection takes it, and comes back whenever it is cut. */
async function flood({ deviceId, credential }: Joined, mqttPort: number, signal: AbortSignal): Promise<void> {
  const aborted = once(signal, 'abort');
  for (let number = 1, counter = 1; !signal.aborted; counter += 1) {
    const options = { clientId: deviceId, username: deviceId, password: credential, clean: true, reconnectPeriod: 0 };
    const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options);
    client.on('error', () => undefined);
    const { stream } = client;
    while (client.connected && !signal.aborted) {
      for (let many = 0; many < 200; many += 1, number += 1) {
        const sentAt = new Date().toISOString();
        const body = { number, at: sentAt, kind: 'flood', detail: 'x'.repeat(400) };
        const payload = encodeUpward('event', { session: { bootId: 'flood', counter }, sequence: number, sentAt, body });
        client.publish(topicFor(deviceId, 'event'), payload, { qos: 0 });
      }
      await turn();
      if (stream.writableLength > 1_000_000) await Promise.race([once(stream, 'drain'), once(stream, 'close'), aborted]);
    }
    stream.destroy();
    client.end(true);
  }
}

test('a device that floods is slowed, and the commands of the others are done in time', { timeout: 180_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-flood-'));
  const environment = await environmentFor(directory, { FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'error' });
  const mqttPort = Number(environment['FLEET_MQTT_PORT']);
  const server = startServer(environment);
  const { url } = await server.ready;
  const devices: SimpleDevice[] = [];
  const stopping = new AbortController();
  try {
    const cookie = await signIn(url);
    const json = async <T>(method: string, path: string, body?: object) =>
      (await (await request(url, cookie, method, path, body)).json()) as T;
    const { token } = await json<{ token: string }>('POST', '/join-tokens', { uses: 6 });
    const joined = await Promise.all(
      Array.from({ length: 6 }, (_, index) => json<Joined>('POST', '/enrolments', { joinToken: token, name: `pi-${index}` })),
    );
    const [flooding, ...good] = joined as [Joined, ...Joined[]];
    for (const { deviceId, credential } of good) devices.push(new SimpleDevice(deviceId, credential));
    for (const device of devices) await device.connect(mqttPort);
    const asked: string[] = [];
    const roundTrips = () =>
      Promise.all(
        devices.map(async ({ id }) => {
          const command = await json<CommandStatus>('POST', `/devices/${id}/commands`, { kind: 'restart-pipeline' });
          asked.push(command.id);
          return timeUntil(
            'done',
            60_000,
            async () => (await json<CommandStatus>('GET', `/devices/${id}/commands/${command.id}`)).state === 'done',
          );
        }),
      );
    const unfloodedMs = Math.max(...(await roundTrips()));
    const startedMs = performance.now();
    const flooded = flood(flooding, mqttPort, stopping.signal);
    // Its end is waited for below; what goes wrong before that is told there.
    flooded.catch(() => undefined);
    const complaints = async () =>
      // Of the server's own: among all entries the complaint, which comes once a minute, is soon below the newest five hundred.
      (await json<History>('GET', `/devices/${flooding.deviceId}/history?limit=500&origin=server&kind=protocol-problem`)).entries.filter(
        ({ detail }) => detail.startsWith('flooding'),
      );
    await until('the flood is noticed', 60_000, async () => (await complaints()).length > 0);
    const limitMs = Math.max(roundTripMs, maxSlowdown * unfloodedMs);
    for (let round = 0; round < rounds; round += 1) for (const time of await roundTrips()) expect(time).toBeLessThan(limitMs);
    const { entries } = await json<History>('GET', `/devices/${flooding.deviceId}/history?limit=500`);
    const newest = Math.max(...entries.filter(({ kind }) => kind === 'flood').map(({ id }) => id));
    expect(newest).toBeLessThan(2000 + ((performance.now() - startedMs) / 1000) * 100);
    expect(devices.every(({ isConnected }) => isConnected)).toBe(true);
    // The watchdog asks for restarts of its own where this takes long: no relay receives what these devices say that they stream.
    const done = devices.flatMap((device) => device.done);
    expect(asked).toHaveLength(devices.length * (rounds + 1));
    expect(asked.filter((id) => !done.includes(id))).toEqual([]);
    expect(new Set(done).size).toBe(done.length);
    stopping.abort();
    await flooded;
  } finally {
    stopping.abort();
    for (const device of devices) device.leave();
    server.child.kill('SIGTERM');
    await server.exit;
    await endAllOf(directory);
    await rm(directory, { recursive: true, force: true });
  }
});
