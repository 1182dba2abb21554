import { afterEach, beforeEach, expect, test } from 'vitest';
import { DeviceRegister } from '#fleet-server/devices/device-register.ts';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import { lossPolicy } from '#fleet-server/devices/losses.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';
import { manualClock } from '../manual-clock.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

test('figures of a stream that goes on are told each five seconds, whatever time the clock is set to', async () => {
  const { deviceId } = await api.join();
  const { devices, changes } = api.app;
  devices.setReception(deviceId, bodies.reception);
  await api.clock.advance(1000);
  let told = 0;
  const end = changes.subscribe(({ change }) => {
    if (change.subject === 'device') told += 1;
  });
  const goesOn = async (seconds: number) => {
    told = 0;
    for (let second = 0; second < seconds; second += 1) {
      devices.setReception(deviceId, bodies.reception);
      await api.clock.advance(1000);
    }
    return told;
  };
  const usual = await goesOn(20);
  expect(usual).toBeGreaterThan(0);
  for (const setByMs of [-3_600_000, 7_200_000]) {
    api.clock.set(setByMs);
    expect(await goesOn(20)).toBe(usual);
  }
  end();
});

test('a connection that came and went is steady again after a quiet time, whatever time the clock is set to, and that is told', async () => {
  const { deviceId } = await api.join();
  const clock = manualClock();
  const told: string[] = [];
  const register = new DeviceRegister({ clock, secrets: api.app.secrets, publishChange: ({ subject }) => told.push(subject) });
  register.start(await allDevices(api.store().database));
  const isUnstable = () => register.get(deviceId)?.losses.unstableSinceMs !== null;
  for (let time = 0; time < lossPolicy.least; time += 1) {
    expect(isUnstable()).toBe(false);
    register.onConnection(deviceId, 'connected', 'accepted');
    register.onConnection(deviceId, 'disconnected', 'connection-lost');
    await clock.advance(1000);
  }
  register.onConnection(deviceId, 'connected', 'accepted');
  clock.set(86_400_000);
  await clock.advance(lossPolicy.quietMs / 2);
  clock.set(-2 * 86_400_000);
  await clock.advance(lossPolicy.quietMs / 2 - 2000);
  expect(isUnstable()).toBe(true);
  told.length = 0;
  await clock.advance(2000);
  expect(isUnstable()).toBe(false);
  expect(told).toEqual(['device']);
  register.stop();
});
