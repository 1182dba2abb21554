/** Against a real mosquitto with dynamic security. */
import { connectAsync } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseBrokerUrl } from '#fleet-server/broker/external/broker-address.ts';
import { DynamicSecurity } from '#fleet-server/broker/external/dynamic-security.ts';
import { systemClock } from '#fleet-server/clock.ts';
import { until } from '../../../until.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.remove());

const id = 'd-race12345678';
const credential = 'its credential';
const connect = () =>
  connectAsync(`mqtt://127.0.0.1:${broker.port}`, { clientId: id, username: id, password: credential, reconnectPeriod: 0 });

async function accessUnderTest(isKnown: () => boolean): Promise<DynamicSecurity> {
  const server = parseBrokerUrl(broker.environment['FLEET_MQTT_URL'] ?? '');
  const [username = '', password = ''] = (broker.environment['FLEET_MQTT_ADMIN'] ?? '').split(':');
  if (server === undefined) throw new Error('expected the address of the broker');
  const access = new DynamicSecurity({
    control: { ...server, username, password },
    server,
    caFile: null,
    clock: systemClock,
    random: Math.random,
    log: pino({ enabled: false }),
    isKnown: async () => isKnown(),
    markOf: (name, secret) => `mark of ${name} ${secret.length}`,
  });
  access.start();
  await until('the roles of the servers', 5000, () => access.problem() === null);
  return access;
}

test('a device that is shut out while it is let in stays outside', async () => {
  let isLetIn = true;
  const access = await accessUnderTest(() => isLetIn);
  await access.admit(id, credential);
  const first = await connect();
  await access.revoke(id);
  await until('cut', 5000, () => !first.connected);
  // The server has seen a right credential before somebody blocked the device; only then is the broker told.
  isLetIn = false;
  await access.admit(id, credential);
  await expect(connect()).rejects.toThrow('Not authorized');
  await first.endAsync(true);
  await access.stop();
});

test('a device that sends too much is cut, and comes again with the same credential', async () => {
  const access = await accessUnderTest(() => true);
  await access.admit(id, credential);
  const first = await connect();
  first.on('error', () => undefined);
  await access.cut(id);
  await until('cut', 5000, () => !first.connected);
  const again = await connect();
  expect(again.connected).toBe(true);
  for (const client of [first, again]) await client.endAsync(true);
  await access.stop();
});
