import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { newPlanDraft, planOfDraft } from '#fleet-server/web/rollouts/plan-draft.ts';
import { RolloutPlan } from '#protocol/model/rollout.ts';

const from = { id: 'd-north', name: 'North' };

test('as it is offered it is a plan that the server takes; from the page of a device that one is the canary', () => {
  const anywhere = planOfDraft(newPlanDraft(null));
  const here = planOfDraft(newPlanDraft(from));
  expect(anywhere).toEqual({
    kind: 'plan',
    plan: { kind: 'waves', canary: 1, shares: [10, 50, 100], soakS: 300, failureThresholdPercent: 10 },
  });
  expect(here).toMatchObject({ plan: { canary: ['d-north'] } });
  for (const read of [anywhere, here]) expect(read.kind === 'plan' && Check(RolloutPlan, read.plan)).toBe(true);
});

test.for([
  ['25 100', [25, 100]],
  ['100', [100]],
  ['5 %, 100 %', [5, 100]],
  ['10, 50', null],
  ['50, 10, 100', null],
  ['0, 100', null],
  ['ten, 100', null],
  ['', null],
] as const)('shares of %s', ([shares, expected]) => {
  const read = planOfDraft({ ...newPlanDraft(null), shares });
  expect(read.kind === 'plan' && read.plan.kind === 'waves' ? read.plan.shares : null).toEqual(expected);
});

test('every field that is wrong is named', () => {
  const read = planOfDraft({ canary: 'devices', canaryCount: 1, canaryIds: [], shares: '', soakMin: '', thresholdPercent: 101 });
  expect(Object.keys(read.kind === 'problems' ? read.problems : {})).toEqual(['canary', 'shares', 'soakMin', 'thresholdPercent']);
  expect(planOfDraft({ ...newPlanDraft(null), canaryCount: '' })).toMatchObject({ problems: { canary: expect.any(String) } });
});
