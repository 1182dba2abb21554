import { expect, onTestFinished, test } from 'vitest';
import { findDevice, insertDevice } from '#fleet-server/devices/devices-store.ts';
import { SharedDevices } from '#fleet-server/devices/shared-devices.ts';
import { aloneOnDatabase } from '#fleet-server/servers/contract.ts';
import { FleetRelays } from '#fleet-server/servers/fleet-relays.ts';
import { startApi } from '../api-under-test.ts';

async function startShared() {
  const api = await startApi();
  onTestFinished(() => api.close());
  const { app, clock } = api;
  const { database } = api.store();
  const shared = new SharedDevices({
    database,
    clock,
    log: app.log,
    servers: aloneOnDatabase('one'),
    register: app.devices,
    relays: new FleetRelays({ serverId: 'one', url: null, clock, own: () => null }),
    place: { url: 'http://one.example', rtmpPort: 1935 },
    cut: () => undefined,
  });
  return { api, shared, clock, database, register: app.devices };
}

test('the store is asked for a device that it did not know once in a while, whatever time the clock is set to', async () => {
  const { shared, clock } = await startShared();
  const ask = () => shared.mayHaveJoined('somebody');
  expect([ask(), ask()]).toEqual([true, false]);
  clock.set(3_600_000);
  expect(ask()).toBe(false);
  clock.set(-7_200_000);
  await clock.advance(10_000);
  expect([ask(), ask()]).toEqual([true, false]);
});

test('who looks for a device that is just being read waits for that', async () => {
  const { api, shared, database, register } = await startShared();
  const { deviceId } = await api.join();
  const device = await findDevice(database, deviceId);
  if (device === undefined) throw new Error('expected the device in the store');
  // As another server writes it.
  await insertDevice(database, { ...device, id: 'joined-elsewhere' });
  expect(shared.mayHaveJoined('joined-elsewhere')).toBe(true);
  expect(register.isKnown('joined-elsewhere')).toBe(false);
  await shared.lookFor('joined-elsewhere');
  expect(register.isKnown('joined-elsewhere')).toBe(true);
});
