import { describe, expect, test } from 'vitest';
import { type Candidate, planWaves } from '#fleet-server/rollouts/plan-waves.ts';
import type { RolloutPlan } from '#protocol/model/rollout.ts';

const ten: Candidate[] = Array.from({ length: 10 }, (_, index) => ({ id: `d${index}`, name: `n${index}`, isOnline: true, isOnAir: true }));
const waves = (canary: number | string[], shares: number[]): RolloutPlan => ({
  kind: 'waves',
  canary,
  shares,
  soakS: 0,
  failureThresholdPercent: 10,
});
const sizes = (plan: RolloutPlan, devices = ten) => planWaves(plan, devices).map((wave) => wave.length);

describe('waves', () => {
  test.each([
    ['a canary, then shares of all', waves(1, [10, 50, 100]), [1, 4, 5]],
    ['a share that the canaries fill is no wave', waves(3, [30, 100]), [3, 7]],
    ['no canary', waves(0, [20, 100]), [2, 8]],
    ['a share is rounded up', waves(0, [1, 100]), [1, 9]],
    ['more canaries than devices', waves(50, [100]), [10]],
    ['all at once', { kind: 'all-at-once' } as const, [10]],
  ])('%s', (_name, plan, expected) => {
    expect(sizes(plan)).toEqual(expected);
    expect(new Set(planWaves(plan, ten).flat()).size).toBe(10);
  });

  test('those on air are canaries before those that are only there, and those before the absent', () => {
    const devices = [
      { id: 'a', name: 'a', isOnline: false, isOnAir: false },
      { id: 'b', name: 'b', isOnline: true, isOnAir: false },
      { id: 'c', name: 'c', isOnline: true, isOnAir: true },
    ];
    expect(planWaves(waves(1, [67, 100]), devices)).toEqual([['c'], ['b', 'a']]);
    expect(planWaves(waves(['a'], [100]), devices)).toEqual([['a'], ['c', 'b']]);
  });

  test.each([
    ['shares that do not grow', waves(0, [50, 50, 100]), 'grow and end with 100'],
    ['shares that leave some out', waves(0, [50]), 'grow and end with 100'],
    ['a canary that is not among them', waves(['d1', 'other'], [100]), '"other"'],
  ])('%s are refused', (_name, plan, words) => {
    expect(() => planWaves(plan, ten)).toThrow(words);
  });

  test('without devices there is no wave', () => {
    expect(planWaves(waves(1, [100]), [])).toEqual([]);
  });
});
