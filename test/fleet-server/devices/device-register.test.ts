import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

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
