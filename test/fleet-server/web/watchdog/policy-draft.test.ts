import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import {
  checkPolicy,
  draftOf,
  holdBounds,
  isChanged,
  type PolicyDraft,
  type PolicyField,
  paceBounds,
  paceFields,
  stepBounds,
  versionOf,
} from '#fleet-server/web/watchdog/policy-draft.ts';
import { WatchdogPolicy, watchdogCommands, watchdogFaults } from '#protocol/model/watchdog.ts';

const draft = draftOf(defaultPolicy);
const withHold = (fault: (typeof watchdogFaults)[number], holdS: string): PolicyDraft => ({
  ...draft,
  faults: { ...draft.faults, [fault]: { ...draft.faults[fault], holdS } },
});
const withStep = (command: (typeof watchdogCommands)[number], part: Partial<PolicyDraft['steps']['reboot']>): PolicyDraft => ({
  ...draft,
  steps: { ...draft.steps, [command]: { ...draft.steps[command], ...part } },
});
const withPace = (pace: Partial<PolicyDraft['pace']>): PolicyDraft => ({ ...draft, pace: { ...draft.pace, ...pace } });
const problemsOf = (changed: PolicyDraft) => {
  const checked = checkPolicy(changed);
  return checked.kind === 'problems' ? Object.keys(checked.problems) : [];
};

test('a policy comes back from its form as it went in', () => {
  expect(checkPolicy(draft)).toEqual({ kind: 'policy', policy: defaultPolicy });
  const short = { ...defaultPolicy, steps: defaultPolicy.steps.filter(({ command }) => command !== 'restart-media-host') };
  expect(checkPolicy(draftOf(short))).toEqual({ kind: 'policy', policy: short });
});

test('a step that is left out is not sent, whatever stands in its fields, and one that is taken again stands in its place', () => {
  const without = withStep('restart-pipeline', { isTaken: false, attempts: 'x' });
  const checked = checkPolicy(without);
  expect(checked.kind === 'policy' && checked.policy.steps.map(({ command }) => command)).toEqual(watchdogCommands.slice(1));
  const again = checkPolicy(draftOf({ ...defaultPolicy, steps: defaultPolicy.steps.slice(1) }));
  expect(again.kind === 'policy' && again.policy.steps[0]?.command).toBe('restart-media-host');
  expect(checkPolicy({ ...without, steps: { ...without.steps, 'restart-pipeline': draft.steps['restart-pipeline'] } })).toEqual({
    kind: 'policy',
    policy: defaultPolicy,
  });
});

type Bounded = {
  readonly field: PolicyField;
  readonly bounds: { readonly from: number; readonly to: number };
  typed(text: string): PolicyDraft;
  /** Past the page's own check. */
  sent(value: number): unknown;
};
const { faults, steps } = defaultPolicy;
const bounded: readonly Bounded[] = [
  ...watchdogFaults.map((fault) => ({
    field: `${fault}/holdS` as const,
    bounds: holdBounds,
    typed: (text: string) => withHold(fault, text),
    sent: (holdS: number) => ({ ...defaultPolicy, faults: { ...faults, [fault]: { ...faults[fault], holdS } } }),
  })),
  ...watchdogCommands.flatMap((command) =>
    (['attempts', 'maxAnHour'] as const).map((part) => ({
      field: `${command}/${part}` as const,
      bounds: stepBounds[part],
      typed: (text: string) => withStep(command, { [part]: text }),
      sent: (value: number) => ({
        ...defaultPolicy,
        steps: steps.map((step) => (step.command === command ? { ...step, [part]: value } : step)),
      }),
    })),
  ),
  ...paceFields.map((field) => ({
    field,
    bounds: paceBounds[field],
    // Each pause is out of the way of the other.
    typed: (text: string) => withPace({ firstPauseS: '5', maxPauseS: '3600', [field]: text }),
    sent: (value: number) => ({ ...defaultPolicy, firstPauseS: 5, maxPauseS: 3600, [field]: value }),
  })),
];

test.for(bounded)('$field has the bounds of the server', ({ field, bounds: { from, to }, typed, sent }) => {
  for (const value of [from, to]) {
    expect(checkPolicy(typed(String(value)))).toEqual({ kind: 'policy', policy: sent(value) });
    expect(Check(WatchdogPolicy, sent(value))).toBe(true);
  }
  for (const value of [from - 1, to + 1]) {
    expect(problemsOf(typed(String(value)))).toEqual([field]);
    expect(Check(WatchdogPolicy, sent(value))).toBe(false);
  }
  for (const text of ['', '1.5', '1e1', ' ', 'ten']) expect(problemsOf(typed(text))).toEqual([field]);
});

test('at least one step is taken', () => {
  const off = { isTaken: false, attempts: '1', maxAnHour: '1' };
  const none = { ...draft, steps: { 'restart-pipeline': off, 'restart-media-host': off, 'restart-agent': off, reboot: off } };
  expect(problemsOf(none)).toEqual(['steps']);
});

test('the longest pause is not shorter than the first', () => {
  expect(problemsOf(withPace({ firstPauseS: '60', maxPauseS: '59' }))).toEqual(['maxPauseS']);
  expect(problemsOf(withPace({ firstPauseS: '60', maxPauseS: '60' }))).toEqual([]);
  expect(problemsOf(withPace({ firstPauseS: '60', maxPauseS: 'x' }))).toEqual(['maxPauseS']);
});

test('only what the server would be told anew is a change', () => {
  expect(isChanged(draft, defaultPolicy)).toBe(false);
  expect(isChanged(withPace({ maxAnHour: '012' }), defaultPolicy)).toBe(false);
  expect(isChanged(withPace({ maxAnHour: '11' }), defaultPolicy)).toBe(true);
  expect(isChanged(withPace({ maxAnHour: '' }), defaultPolicy)).toBe(true);
});

test('a policy that was set, changed or taken back is another one', () => {
  const answer = { policy: defaultPolicy, level: 'default', changedAt: null, changedBy: null } as const;
  const set = { ...answer, level: 'fleet', changedAt: '2026-11-28T10:00:00.000Z', changedBy: 'ada' } as const;
  expect(
    new Set([answer, set, { ...set, changedAt: '2026-11-28T10:00:01.000Z' }, { ...set, level: 'group' } as const].map(versionOf)).size,
  ).toBe(4);
});
