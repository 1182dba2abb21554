import { describe, expect, test } from 'vitest';
import {
  confirmWithinMs,
  type DeviceFacts,
  graceMs,
  lostAfterMs,
  maxFalls,
  type RolloutDeviceState,
  type RolloutState,
  transition,
} from '#fleet-server/rollouts/transition.ts';
import type { RolloutDeviceKind, RolloutKind } from '#protocol/model/rollout.ts';

const well: DeviceFacts = { shutOut: null, presence: 'online', settings: 'applied', refusal: null, onAir: 'yes', critical: [] };
const soakMs = 60_000;
const nowMs = 10_000_000;

const device = (id: string, kind: RolloutDeviceKind, change: Partial<RolloutDeviceState> = {}): RolloutDeviceState => ({
  ...{ id, wave: 0, kind, sinceMs: nowMs, reason: null, falls: 0, before: { wasLive: true, critical: [] } },
  ...change,
});
const rollout = (devices: RolloutDeviceState[], change: Partial<RolloutState> = {}): RolloutState => ({
  ...{ kind: 'running', wave: 0, reason: null, soakMs, failureThresholdPercent: 0, devices },
  waveCount: Math.max(0, ...devices.map(({ wave }) => wave)) + 1,
  ...change,
});
const lookedAt = (state: RolloutState, facts: Record<string, DeviceFacts>, atMs = nowMs) =>
  transition(state, { kind: 'time' }, new Map(Object.entries(facts)), atMs);

type Row = {
  readonly name: string;
  readonly before: Partial<RolloutDeviceState>;
  readonly facts: Partial<DeviceFacts> | null;
  readonly agedMs: number;
  readonly kind: RolloutDeviceKind;
  readonly reason?: string;
};
const row = (
  name: string,
  before: Partial<RolloutDeviceState>,
  facts: Partial<DeviceFacts> | null,
  agedMs: number,
  kind: RolloutDeviceKind,
  reason?: string,
): Row => ({ name, before, facts, agedMs, kind, ...(reason === undefined ? {} : { reason }) });
/** A second device keeps the wave from ending, and the threshold is never passed. */
const rows: readonly Row[] = [
  row('is sent what it has not got', { kind: 'waiting' }, { settings: 'pending' }, 0, 'sent'),
  row('offline: is not waited for', { kind: 'waiting' }, { presence: 'offline' }, 0, 'absent'),
  row('not known yet: is left alone', { kind: 'waiting' }, { presence: 'unknown' }, 0, 'waiting'),
  row('of a later wave: waits', { kind: 'waiting', wave: 1 }, {}, 0, 'waiting'),
  row('comes back: gets it then', { kind: 'absent' }, { settings: 'applied' }, 0, 'sent'),
  row('stays away', { kind: 'absent' }, { presence: 'offline' }, 9e9, 'absent'),
  row('has confirmed and is not well: does not soak yet', { kind: 'sent' }, { critical: ['no-signal'] }, 0, 'troubled', 'no-signal'),
  row('has confirmed: soaks', { kind: 'sent' }, {}, 0, 'soaking'),
  row('has time to confirm', { kind: 'sent' }, { settings: 'pending' }, confirmWithinMs - 1, 'sent'),
  row('does not confirm', { kind: 'sent' }, { settings: 'pending' }, confirmWithinMs, 'failed', 'silent'),
  row('refuses', { kind: 'sent' }, { settings: 'refused', refusal: 'no such camera' }, 0, 'failed', 'refused: no such camera'),
  row('goes before it confirmed', { kind: 'sent' }, { presence: 'offline', settings: 'pending' }, 0, 'troubled', 'offline'),
  row('confirmed while its server went', { kind: 'sent' }, { presence: 'unknown' }, 9e9, 'sent'),
  row('soaks on', { kind: 'soaking' }, {}, soakMs - 1, 'soaking'),
  row('has soaked', { kind: 'soaking' }, {}, soakMs, 'steady'),
  row('is not known while it soaks', { kind: 'soaking' }, { presence: 'unknown' }, soakMs, 'soaking'),
  row('is no longer on air', { kind: 'soaking' }, { onAir: 'no' }, 0, 'troubled', 'on air before'),
  row('never was on air', { kind: 'soaking', before: { wasLive: false, critical: [] } }, { onAir: 'no' }, soakMs, 'steady'),
  row('is taken off the air on purpose', { kind: 'soaking' }, { onAir: 'not-wanted' }, soakMs, 'steady'),
  row('was not on air for a moment, and is not to be', { kind: 'troubled', reason: 'x' }, { onAir: 'not-wanted' }, graceMs, 'soaking'),
  row('says something critical', { kind: 'soaking' }, { critical: ['pipeline-failed'] }, 0, 'troubled', 'pipeline-failed'),
  row(
    'says what it said before',
    { kind: 'soaking', before: { wasLive: true, critical: ['disk-full'] } },
    { critical: ['disk-full'] },
    soakMs,
    'steady',
  ),
  row('is well again: soaks anew', { kind: 'troubled', reason: 'x' }, {}, graceMs - 1, 'soaking'),
  row('is unwell for long', { kind: 'troubled', reason: 'x' }, { onAir: 'no' }, graceMs, 'failed', 'unwell'),
  row('is offline for a while', { kind: 'troubled', reason: 'It is offline.' }, { presence: 'offline' }, lostAfterMs - 1, 'troubled'),
  row('is lost', { kind: 'troubled', reason: 'It is offline.' }, { presence: 'offline' }, lostAfterMs, 'failed', 'lost'),
  row(
    'is back and has time to become well',
    { kind: 'troubled', reason: 'It is offline.' },
    { onAir: 'no' },
    graceMs,
    'troubled',
    'on air',
  ),
  row('is back before it confirmed', { kind: 'troubled', reason: 'It is offline.' }, { settings: 'pending' }, 1000, 'sent'),
  row(
    'goes back to the last good ones',
    { kind: 'troubled', reason: 'x' },
    { settings: 'refused', refusal: 'no frames' },
    0,
    'failed',
    'no frames',
  ),
  row('a lost one is back and well', { kind: 'failed', reason: 'lost' }, {}, 0, 'soaking'),
  row('a refusal stays', { kind: 'failed', reason: 'refused' }, { settings: 'refused' }, 9e9, 'failed'),
  row('steady stays', { kind: 'steady' }, { onAir: 'no' }, 9e9, 'steady'),
  row('gets another setting while it soaks', { kind: 'soaking' }, { settings: 'pending' }, soakMs, 'sent'),
  row('drifts while it soaks', { kind: 'soaking' }, { settings: 'drifted' }, soakMs, 'troubled', 'other settings'),
  row('is sent them again', { kind: 'troubled', reason: 'x' }, { settings: 'drifted' }, 1000, 'sent'),
  row('goes on with other settings', { kind: 'sent' }, { settings: 'drifted' }, confirmWithinMs, 'failed', 'other settings'),
  row('refuses while it soaks', { kind: 'soaking' }, { settings: 'refused', refusal: 'no frames' }, soakMs, 'failed', 'no frames'),
  row('was removed', { kind: 'soaking' }, null, 0, 'left', 'It was removed, or moved to another group.'),
  row('was blocked', { kind: 'soaking' }, { shutOut: 'blocked' }, 0, 'left', 'It was blocked.'),
  row('waits for approval anew', { kind: 'soaking' }, { shutOut: 'waits-for-approval' }, 0, 'left', 'It waits for approval.'),
  row('stays gone', { kind: 'left' }, {}, 0, 'left'),
];

describe('a device', () => {
  test.each(rows)('$name', ({ before, facts, agedMs, kind, reason }) => {
    const state = rollout([device('a', 'waiting', before), device('b', 'soaking'), device('z', 'waiting', { wave: 2 })], {
      failureThresholdPercent: 100,
    });
    const at = nowMs + agedMs;
    const others = { b: well, z: well };
    const step = lookedAt(
      { ...state, devices: state.devices.map((one) => (one.id === 'b' ? { ...one, sinceMs: at } : one)) },
      facts === null ? others : { ...others, a: { ...well, ...facts } },
      at,
    );
    const [a] = step.rollout.devices;
    expect(a?.kind).toBe(kind);
    if (reason !== undefined) expect(a?.reason).toContain(reason);
    expect(step.actions.flatMap((action) => (action.kind === 'give' ? action.deviceIds : []))).toEqual(
      kind === 'sent' && (before.kind === 'waiting' || before.kind === 'absent') ? ['a'] : [],
    );
    expect(step.actions.some((action) => action.kind === 'take')).toBe(kind === 'left' && before.kind !== 'left');
  });

  test('is remembered as it was when it got the change', () => {
    const step = lookedAt(rollout([device('a', 'waiting')]), { a: { ...well, onAir: 'no', critical: ['disk-full'] } });
    expect(step.rollout.devices[0]?.before).toEqual({ wasLive: false, critical: ['disk-full'] });
  });
});

describe('a device that the change makes unsteady', () => {
  type Look = (second: number) => Partial<DeviceFacts>;
  const off = { presence: 'offline', settings: 'pending' } as const;
  /** A look a second: what became of the first device, and after how long the roll-out halted. */
  function played(seconds: number, of: Look, change: Partial<RolloutState> = {}, before: Partial<RolloutDeviceState> = {}) {
    let state = rollout([device('a', 'sent', before), device('b', 'waiting', { wave: 1 })], change);
    for (let second = 0; second <= seconds; second += 1) {
      state = lookedAt(state, { a: { ...well, ...of(second) }, b: well }, nowMs + second * 1000).rollout;
      if (state.kind !== 'running') return { state, second };
    }
    return { state, second: null };
  }
  const of = (period: number, good: number, isGood: Partial<DeviceFacts>, isBad: Partial<DeviceFacts>): Look => {
    return (second) => (second % period < good ? isGood : isBad);
  };

  test.each<[string, Look, string]>([
    ['its stream is up for 30 s and down for 25 s', of(55, 30, {}, { onAir: 'no' }), 'on air before'],
    ['it is there for 20 s and away for 50 s', of(70, 20, {}, off), 'offline'],
    ['the same before it confirmed', of(70, 20, { settings: 'pending' }, off), 'offline'],
    ['whenever it is back, its stream is down', of(70, 20, { onAir: 'no' }, off), 'offline'],
    ['it drifts whenever it is mended', of(60, 50, {}, { settings: 'drifted' }), 'other settings'],
  ])('fails, and the roll-out halts: %s', (_name, look, why) => {
    const { state, second } = played(6 * 3600, look);
    expect(state).toMatchObject({
      kind: 'halted',
      wave: 0,
      reason: expect.stringContaining('unsteady'),
      devices: [{ kind: 'failed' }, {}],
    });
    expect(state.devices[0]?.reason).toContain(why);
    expect(second).toBeLessThan(maxFalls * 70 + 60);
  });

  test('stays failed: its good moments hold nobody up, and a halted roll-out does not forget', () => {
    const { state } = played(6 * 3600, of(55, 30, {}, { onAir: 'no' }), { failureThresholdPercent: 100 });
    expect(state).toMatchObject({ kind: 'completed', devices: [{ kind: 'failed' }, { kind: 'steady' }] });
    const [a] = lookedAt({ ...state, kind: 'halted' as const }, { a: well, b: well }, nowMs + 9e9).rollout.devices;
    expect(a?.kind).toBe('failed');
  });

  test('another setting begins its time anew, and is held against nobody', () => {
    const { state } = played(300, of(50, 48, {}, { settings: 'pending' }));
    expect(state).toMatchObject({ kind: 'running', wave: 0, devices: [{ kind: 'soaking', falls: 0 }, {}] });
  });

  test('a few faults that pass are held against nobody', () => {
    const { state } = played(500, (second) => (second < (maxFalls - 1) * 55 && second % 55 >= 30 ? { onAir: 'no' } : {}));
    expect(state).toMatchObject({ wave: 1, devices: [{ kind: 'steady', falls: maxFalls - 1 }, {}] });
  });

  test('how long one is away is no matter: it is lost as any other, and looked after again when it is back', () => {
    const { state, second } = played(120, (at) => (at >= 30 ? off : {}));
    expect([second, state.reason]).toEqual([90, expect.stringContaining('lost')]);
    const mondayMs = nowMs + 60 * 3_600_000;
    const back = lookedAt(state, { a: well, b: well }, mondayMs).rollout;
    expect(lookedAt(back, { a: well, b: well }, mondayMs + soakMs).rollout.devices[0]).toMatchObject({ kind: 'steady', falls: 1 });
  });
});

describe('a wave', () => {
  const two = (first: RolloutDeviceKind, change: Partial<RolloutDeviceState> = {}) =>
    rollout([device('a', first, change), device('b', 'waiting', { wave: 1 })]);
  test('begins when the one before it is steady, in the same step', () => {
    const step = lookedAt(two('soaking'), { a: well, b: well }, nowMs + soakMs);
    expect(step.rollout).toMatchObject({ wave: 1, devices: [{ kind: 'steady' }, { kind: 'sent' }] });
    expect(step.actions).toEqual([{ kind: 'give', deviceIds: ['b'] }]);
  });
  test('a canary that is not there proves nothing', () => {
    expect(lookedAt(two('absent'), { a: { ...well, presence: 'offline' }, b: well }).rollout.wave).toBe(0);
  });
  test.each<[string, RolloutDeviceKind, string]>([
    ['before it had it', 'waiting', 'Nobody proved'],
    ['before it was well for long enough', 'soaking', 'Nobody proved'],
    ['while it was unwell', 'troubled', '1 of the 1 devices that have it failed, more than 0 %: a It was removed'],
  ])('a canary that goes proves nothing: %s', (_name, kind, reason) => {
    const step = lookedAt(two(kind, { reason: 'x' }), { b: well });
    expect(step.rollout).toMatchObject({ kind: 'halted', wave: 0, reason: expect.stringContaining(reason) });
    expect(step.actions.filter((action) => action.kind === 'give')).toEqual([]);
    const resumed = transition(step.rollout, { kind: 'resume' }, new Map(), nowMs).rollout;
    expect(lookedAt(resumed, { b: well })).toMatchObject({ rollout: { kind: 'running', wave: 1 }, actions: [{ deviceIds: ['b'] }] });
  });
  test('one of several canaries that goes is waited for by nobody', () => {
    const canaries = [device('a', 'soaking'), device('c', 'steady'), device('b', 'waiting', { wave: 1 })];
    expect(lookedAt(rollout(canaries), { b: well, c: well }).rollout).toMatchObject({ kind: 'running', wave: 1 });
  });
  test.each([
    [0, 'halted'],
    [50, 'running'],
  ] as const)('one that goes while it is unwell has failed: with a threshold of %i %% it is %s', (failureThresholdPercent, kind) => {
    const devices = [device('a', 'troubled', { reason: 'x' }), device('c', 'steady'), device('b', 'waiting', { wave: 1 })];
    const step = lookedAt(rollout(devices, { failureThresholdPercent }), { a: { ...well, shutOut: 'blocked' }, b: well, c: well });
    expect(step.rollout).toMatchObject({ kind, devices: [{ kind: 'left', reason: 'It was blocked. It was unwell: x' }, {}, {}] });
    expect(step.actions).toContainEqual({ kind: 'take', deviceIds: ['a'] });
  });
  test('offline devices of later waves hold nobody up, and the last wave ends the roll-out', () => {
    const devices = [device('a', 'steady'), device('b', 'absent', { wave: 1 }), device('c', 'soaking', { wave: 1 })];
    const facts = { a: well, b: { ...well, presence: 'offline' as const }, c: well };
    const step = lookedAt(rollout(devices, { wave: 1 }), facts, nowMs + soakMs);
    expect(step.rollout.kind).toBe('completed');
    expect(step.actions).toEqual([{ kind: 'complete' }]);
  });
  test.each([
    [0, 1, 'halted'],
    [9, 1, 'halted'],
    [10, 1, 'running'],
    [10, 2, 'halted'],
    [100, 10, 'running'],
  ] as const)('with a threshold of %i %%, %i failed of ten: %s', (failureThresholdPercent, failed, kind: RolloutKind) => {
    const devices = Array.from({ length: 10 }, (_, index) => device(`d${index}`, index < failed ? 'failed' : 'soaking'));
    devices.push(device('later', 'waiting', { wave: 1 }), device('gone', 'absent'));
    const facts = Object.fromEntries(
      devices.map(({ id, kind: is }) => [
        id,
        is === 'failed' ? { ...well, settings: 'refused' as const } : is === 'absent' ? { ...well, presence: 'offline' as const } : well,
      ]),
    );
    const step = lookedAt(rollout(devices, { failureThresholdPercent }), facts);
    expect(step.rollout.kind).toBe(kind);
    if (kind === 'halted') expect(step.rollout.reason).toContain(`${failed} of the 10 devices`);
  });
});

describe('what people ask', () => {
  const refused = { ...well, settings: 'refused' as const };
  test('halted: nobody further gets it, those who have it are looked after', () => {
    const state = rollout([device('a', 'soaking'), device('b', 'absent'), device('c', 'waiting', { wave: 1 })]);
    const { rollout: halted } = transition(state, { kind: 'halt', reason: 'Halted by ann.' }, new Map(), nowMs);
    expect(halted).toMatchObject({ kind: 'halted', reason: 'Halted by ann.' });
    const step = lookedAt(halted, { a: well, b: well, c: well }, nowMs + soakMs);
    expect(step.actions).toEqual([]);
    expect(step.rollout.devices.map(({ kind }) => kind)).toEqual(['steady', 'absent', 'waiting']);
  });
  test('resumed: what failed is excused, and it goes on', () => {
    const state = rollout([device('a', 'failed'), device('b', 'waiting', { wave: 1 })], { kind: 'halted', reason: 'x' });
    const resumed = transition(state, { kind: 'resume' }, new Map(), nowMs).rollout;
    expect(resumed).toMatchObject({ kind: 'running', reason: null, devices: [{ kind: 'excused' }, {}] });
    expect(lookedAt(resumed, { a: refused, b: well }).actions).toEqual([{ kind: 'give', deviceIds: ['b'] }]);
  });
  test.each(['running', 'halted', 'completed'] as const)('rolled back while %s: dropped in one step', (kind) => {
    const step = transition(rollout([device('a', 'steady')], { kind }), { kind: 'roll-back', override: true }, new Map(), nowMs);
    expect(step.rollout.kind).toBe('rolled-back');
    expect(step.actions).toEqual([{ kind: 'drop', override: true }]);
  });
  test.each(['completed', 'rolled-back'] as const)('%s is over: time changes nothing', (kind) => {
    const state = rollout([device('a', 'soaking')], { kind });
    expect(lookedAt(state, { a: well }, nowMs + soakMs)).toEqual({ rollout: state, actions: [] });
  });
});
