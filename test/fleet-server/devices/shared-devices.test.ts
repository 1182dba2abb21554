import { expect, onTestFinished, test } from 'vitest';
import { SharedDevices } from '#fleet-server/devices/shared-devices.ts';
import { aloneOnDatabase } from '#fleet-server/servers/contract.ts';
import { FleetRelays } from '#fleet-server/servers/fleet-relays.ts';
import { startApi } from '../api-under-test.ts';

test('the store is asked for a device that it did not know once in a while, whatever time the clock is set to', async () => {
  const api = await startApi();
  onTestFinished(() => api.close());
  const { app, clock } = api;
  const shared = new SharedDevices({
    database: api.store().database,
    clock,
    log: app.log,
    servers: aloneOnDatabase('one'),
    register: app.devices,
    relays: new FleetRelays({ serverId: 'one', url: null, clock, own: () => null }),
    place: { url: 'http://one.example', rtmpPort: 1935 },
    cut: () => undefined,
  });
  const ask = () => shared.mayHaveJoined('somebody');
  expect([ask(), ask()]).toEqual([true, false]);
  clock.set(3_600_000);
  expect(ask()).toBe(false);
  clock.set(-7_200_000);
  await clock.advance(10_000);
  expect([ask(), ask()]).toEqual([true, false]);
});
