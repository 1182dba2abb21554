import { expect, test } from 'vitest';
import type { Prepared } from '#device/settings/prepare.ts';
import {
  type Judge,
  type SettingsEffect,
  type SettingsEvent,
  type SettingsState,
  settledState,
  transition,
} from '#device/settings/transaction.ts';
import type { Desired } from '#protocol/messages.ts';
import { desired } from '../bare-machine.ts';

const prepared = {} as Prepared;
const yes: Judge = (document) => ({ kind: 'accepted', document: document as Desired, prepared });
const no: Judge = () => ({ kind: 'refused', refusals: [{ key: 'AV_VIDEO_SOURCE', reason: 'no such camera' }] });

function run(state: SettingsState, events: readonly SettingsEvent[], judge: Judge) {
  const effects: SettingsEffect[] = [];
  let current = state;
  for (const event of events) {
    const step = transition(current, event, judge);
    current = step.state;
    effects.push(...step.effects);
  }
  return { state: current, effects, said: effects.map(shortly) };
}

function shortly(effect: SettingsEffect): string {
  if (effect.kind !== 'answer') return effect.kind;
  const { revision, outcome, inForceRevision } = effect.applied;
  return `${outcome} ${revision}, in force ${inForceRevision}`;
}

const want = (document: Desired): SettingsEvent => ({ kind: 'desired', document });
const doesNotRun: SettingsEvent = { kind: 'does-not-run', refusals: [{ key: 'AV_VIDEO_WIDTH', reason: 'no picture within 20 s' }] };
const atThree = settledState(desired(3), null);
/** Of a fleet server that was restored from an older copy since: it does not know of revision 9. */
const refusedNine = settledState(desired(3), { revision: 9, digest: 'f'.repeat(64), outcome: 'refused', refusals: [] });
const rolledBackNine: SettingsState = {
  ...refusedNine,
  verdict: { revision: 9, digest: 'f'.repeat(64), outcome: 'rolled-back', refusals: [] },
};

test.each<[string, SettingsState, SettingsEvent[], Judge, string[], number]>([
  ['applied', atThree, [want(desired(4)), { kind: 'runs' }], yes, ['try', 'save', 'applied 4, in force 4', 'record'], 4],
  [
    'the first one ever',
    settledState(null, null),
    [want(desired(1)), { kind: 'runs' }],
    yes,
    ['try', 'save', 'applied 1, in force 1', 'record'],
    1,
  ],
  ['refused: nothing is tried', atThree, [want(desired(4))], no, ['save', 'refused 4, in force 3', 'record'], 3],
  [
    'rolled back',
    atThree,
    [want(desired(4)), doesNotRun, { kind: 'restored' }],
    yes,
    ['try', 'restore', 'save', 'rolled-back 4, in force 3', 'record'],
    3,
  ],
  ['an old one is ignored', atThree, [want(desired(2))], yes, [], 3],
  [
    'one below a refused one',
    refusedNine,
    [want(desired(4)), { kind: 'runs' }],
    yes,
    ['try', 'save', 'applied 4, in force 4', 'record'],
    4,
  ],
  ['one below a rolled-back one', rolledBackNine, [want(desired(4))], no, ['save', 'refused 4, in force 3', 'record'], 3],
  [
    'one below a refused one before any is in force',
    { ...refusedNine, inForce: null },
    [want(desired(1)), { kind: 'runs' }],
    yes,
    ['try', 'save', 'applied 1, in force 1', 'record'],
    1,
  ],
  ['the one in force below a refused one', refusedNine, [want(desired(3))], yes, ['applied 3, in force 3'], 3],
  ['the number of the one in force below a refused one', refusedNine, [want(desired(3, {}, 'b'))], yes, ['try'], 3],
  ['one older than the one in force below a refused one', refusedNine, [want(desired(2))], yes, [], 3],
  ['the one in force is answered, the stream is left alone', atThree, [want(desired(3))], yes, ['applied 3, in force 3'], 3],
  ['the same revision with another digest is new', atThree, [want(desired(3, {}, 'b'))], yes, ['try'], 3],
  ['results of nothing are ignored', atThree, [{ kind: 'runs' }, doesNotRun, { kind: 'restored' }], yes, [], 3],
])('%s', (_name, state, events, judge, said, inForce) => {
  const result = run(state, events, judge);
  expect(result.said).toEqual(said);
  expect(result.state.inForce?.revision).toBe(inForce === 1 && state.inForce === null ? 1 : inForce);
});

test('one that was rolled back is not tried again when it comes again, also after a restart', () => {
  const rolledBack = run(atThree, [want(desired(4)), doesNotRun, { kind: 'restored' }], yes).state;
  const again = run(settledState(rolledBack.inForce, rolledBack.verdict), [want(desired(4))], yes);
  expect(again.said).toEqual(['rolled-back 4, in force 3']);
  expect(again.effects).toMatchObject([{ applied: { refusals: [{ key: 'AV_VIDEO_WIDTH' }] } }]);
});

test('one that was refused is judged anew when it comes again: the camera may be there now', () => {
  const refused = run(atThree, [want(desired(4))], no).state;
  expect(run(refused, [want(desired(4))], no).said).toEqual(['refused 4, in force 3']);
  expect(run(refused, [want(desired(4)), { kind: 'runs' }], yes).said).toEqual(['try', 'save', 'applied 4, in force 4', 'record']);
});

test('what comes while one is tried waits, the newest alone, and is tried afterwards', () => {
  const events = [want(desired(4)), want(desired(5)), want(desired(7)), want(desired(6))];
  const during = run(atThree, events, yes);
  expect(during.said).toEqual(['try']);
  const after = run(during.state, [{ kind: 'runs' }], yes);
  expect(after.said).toEqual(['save', 'applied 4, in force 4', 'record', 'try']);
  expect(after.state.phase).toMatchObject({ kind: 'trying', document: { revision: 7 } });
});

test('what comes while the last good ones are restored is tried after that', () => {
  const result = run(atThree, [want(desired(4)), doesNotRun, want(desired(5)), { kind: 'restored' }, { kind: 'runs' }], yes);
  expect(result.said).toEqual([
    'try',
    'restore',
    'save',
    'rolled-back 4, in force 3',
    'record',
    'try',
    'save',
    'applied 5, in force 5',
    'record',
  ]);
});

test('an old one that waited is forgotten', () => {
  expect(run(atThree, [want(desired(4)), want(desired(2)), { kind: 'runs' }], yes).said).toEqual([
    'try',
    'save',
    'applied 4, in force 4',
    'record',
  ]);
});
