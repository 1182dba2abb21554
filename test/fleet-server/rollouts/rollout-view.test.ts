import { expect, test } from 'vitest';
import { detailOf } from '#fleet-server/rollouts/rollout-view.ts';
import type { RolloutDeviceState } from '#fleet-server/rollouts/transition.ts';
import type { RolloutDeviceKind } from '#protocol/model/rollout.ts';

const row = {
  ...({
    id: 'r',
    level: 'fleet',
    scope: '',
    changes: '[]',
    plan: '{"kind":"all-at-once"}',
    comment: null,
    state: 'halted',
    reason: null,
  } as const),
  ...{ wave: 2, createdAtMs: 0, createdBy: 'ann', finishedAtMs: null, revision: null },
};
const devicesOf = (count: number, placeOf: (index: number) => readonly [wave: number, kind: RolloutDeviceKind]): RolloutDeviceState[] =>
  Array.from({ length: count }, (_, index) => {
    const [wave, kind] = placeOf(index);
    return { id: `d-${index}`, wave, kind, sinceMs: 0, reason: null, falls: 0, before: { wasLive: true, critical: [] } };
  });

test('those that failed or are troubled come first over all waves, and it says how many there are of each kind', () => {
  const devices = devicesOf(5000, (index) => [
    index === 0 ? 0 : index <= 1000 ? 1 : 2,
    index > 4001 ? 'failed' : index === 500 ? 'troubled' : 'steady',
  ]);
  const { devices: shown, deviceCounts } = detailOf(row, [], devices, (id) => id);
  expect(shown.map(({ wave, state }) => `${wave} ${state}`)).toEqual(['1 troubled', ...Array(998).fill('2 failed'), '0 steady']);
  expect(deviceCounts).toEqual([
    { state: 'failed', count: 998 },
    { state: 'troubled', count: 1 },
    { state: 'steady', count: 4001 },
  ]);
});

test('the others are in the order of waves, and in each those that are under way before those that are not', () => {
  const places = [
    [1, 'waiting'],
    [0, 'steady'],
    [0, 'soaking'],
    [0, 'failed'],
    [1, 'absent'],
  ] as const;
  const { devices } = detailOf(
    row,
    [],
    devicesOf(places.length, (index) => places[index] ?? [0, 'left']),
    (id) => id,
  );
  expect(devices.map(({ wave, state }) => `${wave} ${state}`)).toEqual(['0 failed', '0 soaking', '0 steady', '1 absent', '1 waiting']);
});
