import { expect, it } from 'vitest';
import { UplinkMeter } from '#device/media-host/uplink-meter.ts';

function filled(...samples: readonly (readonly [atMs: number, arrivedBytes: number])[]): UplinkMeter {
  const meter = new UplinkMeter();
  for (const [atMs, arrivedBytes] of samples) meter.add({ atMs, arrivedBytes, lagMs: 0 });
  return meter;
}

it('says what arrived in the last second, as soon as it has seen half of one', () => {
  const meter = filled([0, 0], [250, 1000]);
  expect(meter.add({ atMs: 400, arrivedBytes: 2000, lagMs: 7 })).toBeNull();
  expect(meter.add({ atMs: 500, arrivedBytes: 5000, lagMs: 7 })).toEqual({ lagMs: 7, deliveredKbps: 80 });
  expect(meter.add({ atMs: 1400, arrivedBytes: 6000, lagMs: 7 })?.deliveredKbps).toBe(32);
});

it('says what arrived in less than a second, or nothing where it has not looked for most of it', () => {
  const meter = filled([0, 0], [800, 100_000], [900, 101_000], [1000, 102_000]);
  expect([100, 150, 1000, 5000].map((overMs) => meter.deliveredKbps(overMs))).toEqual([80, 80, 816, 816]);
  expect(filled([0, 0], [70, 1000]).deliveredKbps(150)).toBeNull();
  expect(filled().deliveredKbps(0)).toBeNull();
});
