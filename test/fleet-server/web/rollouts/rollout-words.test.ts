import { expect, test } from 'vitest';
import { leftOutWords, overrideWords, planWords, scopeWords, waveShares, waveTitle } from '#fleet-server/web/rollouts/rollout-words.ts';
import type { RolloutPlan } from '#protocol/model/rollout.ts';

const plan: RolloutPlan = { kind: 'waves', canary: 1, shares: [10, 100], soakS: 600, failureThresholdPercent: 5 };

test('waves have names', () => {
  expect([0, 1, 2].map((index) => waveTitle(index, 3, plan))).toEqual(['Canary', 'Wave 2', 'The rest']);
  expect(waveTitle(0, 2, { ...plan, canary: 0 })).toBe('Wave 1');
  expect(waveTitle(0, 1, { kind: 'all-at-once' })).toBe('All devices');
});

test('a plan and a scope in words', () => {
  expect(planWords(plan)).toBe('1 canary, then 10, 100 % of the devices; each must be well for 10 min; halts when more than 5 % fail.');
  expect(planWords({ ...plan, canary: ['d-a', 'd-b'], soakS: 20 })).toContain(
    '2 canaries, then 10, 100 % of the devices; each must be well for 20 s',
  );
  expect(scopeWords({ scope: { kind: 'group', name: 'hall' } })).toBe('group hall');
});

test('changes since its end are named before they are lost', () => {
  const problems = [
    { key: 'AV_VIDEO_WIDTH', came: 'changed in revision 4' },
    { key: 'AV_RECORD', came: 'changed in revision 5' },
  ];
  expect(overrideWords(problems)).toContain('AV_VIDEO_WIDTH (changed in revision 4), AV_RECORD (changed in revision 5)');
});

test('what is not on the page is said', () => {
  const device = { id: 'd-a', name: 'a', wave: 0, state: 'failed', since: '2026-11-21T12:00:00.000Z', reason: null } as const;
  const counts = (steady: number) => [
    { state: 'failed' as const, count: 1 },
    { state: 'steady' as const, count: steady },
  ];
  expect(leftOutWords({ deviceCounts: counts(4), devices: [device] })).toContain('Shown are 1 of 5 devices');
  expect(leftOutWords({ deviceCounts: counts(0), devices: [device] })).toBeNull();
});

test('shares of a wave, and of one without devices', () => {
  const wave = { deviceCount: 4, steadyCount: 1, underWayCount: 2, absentCount: 0, failedCount: 1 };
  expect(waveShares(wave)).toEqual({ steady: 25, underWay: 50, absent: 0, failed: 25 });
  expect(waveShares({ ...wave, deviceCount: 0 }).steady).toBe(0);
});
