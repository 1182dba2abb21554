/** Two fleet servers on one PostgreSQL database and one mosquitto, and one of the servers is killed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { type Mosquitto, startMosquitto } from '../fleet-server/broker/external/mosquitto.ts';
import { type OneServer, ServersUnderTest } from '../fleet-server/servers/servers-under-test.ts';
import { until } from '../until.ts';

let broker: Mosquitto;
let fleet: ServersUnderTest;
beforeAll(async () => {
  broker = await startMosquitto();
  fleet = await ServersUnderTest.start(2, broker.environment);
  for (const server of fleet.servers) await until('ready', 10_000, async () => (await fetch(`${server.url}/readyz`)).status === 200);
}, 120_000);
afterAll(async () => {
  await fleet?.remove();
  await broker?.remove();
}, 60_000);

const presenceAt = async (server: OneServer, id: string) => (await server.json<DeviceDetail>('GET', `/devices/${id}`)).presence?.state;
const commandAt = (server: OneServer, id: string, commandId: string) =>
  server.json<CommandStatus>('GET', `/devices/${id}/commands/${commandId}`);

test('one of two servers on an external broker is killed under commands: nothing is lost and nothing done twice', async () => {
  const [first, second] = fleet.servers as [OneServer, OneServer];
  const devices = await Promise.all(Array.from({ length: 5 }, (_, index) => fleet.join(first, `kept-${index}`)));
  for (const device of devices) await device.connect(broker.port);
  for (const { id } of devices) await until('online', 5000, async () => (await presenceAt(second, id)) === 'online');
  const asked: { readonly deviceId: string; readonly id: string }[] = [];
  const ask = async (server: OneServer, deviceId: string) => {
    const { id } = await server.json<CommandStatus>('POST', `/devices/${deviceId}/commands`, { kind: 'restart-pipeline' });
    asked.push({ deviceId, id });
  };
  for (const { id } of devices) await Promise.all([ask(first, id), ask(second, id)]);
  const late = devices.map(({ id }) => ask(second, id));
  await fleet.kill(first);
  await Promise.all(late);
  for (const { deviceId, id } of asked) {
    await until('done', 40_000, async () => (await commandAt(second, deviceId, id)).state === 'done');
  }
  for (const device of devices) {
    const its = asked.filter(({ deviceId }) => deviceId === device.id).map(({ id }) => id);
    expect(device.done.toSorted()).toEqual(its.toSorted());
    expect(await presenceAt(second, device.id)).toBe('online');
  }
});
