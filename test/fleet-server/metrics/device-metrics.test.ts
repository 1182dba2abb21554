import { expect, test } from 'vitest';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { deviceMetrics, maxDevices } from '#fleet-server/metrics/device-metrics.ts';
import { quietDevice } from '../devices/quiet-device.ts';

const since = '2026-11-21T12:00:00.000Z';
const deviceOf = (index: number, state: 'online' | 'offline'): LiveDevice => ({
  ...quietDevice,
  id: `d${String(index).padStart(5, '0')}`,
  presence: { state, since, reason: '' },
});

test('the number of series is bounded, and what is left out is counted', () => {
  const metrics = deviceMetrics(
    Array.from({ length: maxDevices + 3 }, (_, index) => deviceOf(index, 'online')),
    [],
  );
  for (const { samples } of metrics) expect(samples.length).toBeLessThanOrEqual(maxDevices);
  expect(metrics.find(({ name }) => name === 'makespacelive_device_left_out')?.samples).toEqual([{ value: 3 }]);
});

test('of a device that is away nothing is told but that', () => {
  const metrics = deviceMetrics([deviceOf(1, 'offline')], [{ id: 'd00001', name: 'hall', groupName: null }]);
  const told = metrics.filter(({ samples }) => samples.some(({ labels }) => labels !== undefined)).map(({ name }) => name);
  expect(told).toEqual(['makespacelive_device_info', 'makespacelive_device_online', 'makespacelive_device_live']);
});

test('what the server knows of a device counts among its conditions, as on its page', () => {
  const device: LiveDevice = {
    ...deviceOf(1, 'online'),
    conditions: [{ code: 'network-lossy', since, detail: '' }],
    losses: { atMs: [1, 2, 3, 4, 5], unstableSinceMs: 5 },
  };
  const { samples } = deviceMetrics([device], []).find(({ name }) => name === 'makespacelive_device_conditions') ?? {};
  expect(samples).toEqual([{ labels: { device: device.id }, value: 2 }]);
});
