/** A broker that asks about its clients is not told to cut one: this server takes the place of that client. Against a real mosquitto. */
import { connectAsync } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HookedAccess } from '#fleet-server/broker/external/hooked-access.ts';
import { systemClock } from '#fleet-server/clock.ts';
import { until } from '../../../until.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto({ isOpen: true });
});
afterAll(() => broker.remove());

const connect = (clientId: string) =>
  connectAsync(`mqtt://127.0.0.1:${broker.port}`, { clientId, username: clientId, password: 'its credential', reconnectPeriod: 0 });

test('the connection of a device that was removed is cut, and no other one', async () => {
  const address = { isTls: false, host: '127.0.0.1', port: broker.port, username: 'fleet', password: 'of-the-servers' };
  const log = pino({ enabled: false });
  const access = new HookedAccess({ address, caFile: null, clock: systemClock, random: Math.random, log });
  access.start();
  const removed = await connect('d-removed1234');
  const kept = await connect('d-kept12345678');
  removed.on('error', () => undefined);
  await access.revoke('d-removed1234');
  await until('cut', 5000, () => !removed.connected);
  expect(kept.connected).toBe(true);
  await kept.publishAsync('msl/v1/d/d-kept12345678/health', '{}', { qos: 1 });
  // It has not stayed in that place either.
  const again = await connect('d-removed1234');
  await again.publishAsync('msl/v1/d/d-removed1234/health', '{}', { qos: 1 });
  for (const client of [removed, kept, again]) await client.endAsync(true);
  await access.stop();
});

test('a broker that does not answer holds nobody up for ever', async () => {
  const bounds: (() => void)[] = [];
  const after = (_delayMs: number, run: () => void) => {
    bounds.push(run);
    return () => undefined;
  };
  const address = { isTls: false, host: '127.0.0.1', port: 1, username: 'fleet', password: 'of-the-servers' };
  const log = pino({ enabled: false });
  const access = new HookedAccess({ address, caFile: null, clock: { ...systemClock, after }, random: Math.random, log });
  const revoked = access.revoke('d-removed1234');
  for (const run of [...bounds]) run();
  await revoked;
  await access.stop();
});
