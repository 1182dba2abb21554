/**
 * What becomes of a roll-out by what is known of its devices at this moment, and what is to be done. Pure.
 *
 * INVARIANTS
 * - A wave begins only when every device of the waves before it is steady, excused, gone, or failed within the threshold; those that are offline are
 *   not waited for and get the change when they are back. But of a first wave among several somebody must have it: nobody proves nothing. If all of
 *   it are gone before that, the roll-out halts.
 * - One that goes while it is unwell has failed.
 * - What was given stays given until the roll-out is rolled back; a roll-out that halts gives it to nobody else.
 * - A device whose presence is not known yet (a fleet server has just gone) is left as it is.
 * - That a device is well counts only with the settings that it should have: with others its time begins anew once it has confirmed them.
 * - No device keeps a wave waiting for ever by being well again and again: each of its good times is as long as the plan's, or ends in a fall, and
 *   falls are counted, or because somebody gave it another setting.
 */
import type { RolloutDeviceKind, RolloutKind } from '#protocol/model/rollout.ts';

/** What it was like when it got the change: what was wrong already is no fault of the change. `wasLive`: on air, here or elsewhere. */
export type Before = { readonly wasLive: boolean; readonly critical: readonly string[] };

export type RolloutDeviceState = {
  readonly id: string;
  readonly wave: number;
  readonly kind: RolloutDeviceKind;
  readonly sinceMs: number;
  readonly reason: string | null;
  /** How often it became unwell, went offline or drifted since it got the change. */
  readonly falls: number;
  readonly before: Before;
};

export type RolloutState = {
  readonly kind: RolloutKind;
  readonly wave: number;
  readonly waveCount: number;
  readonly reason: string | null;
  readonly soakMs: number;
  readonly failureThresholdPercent: number;
  readonly devices: readonly RolloutDeviceState[];
};

export type DeviceFacts = {
  /** It is shut out, which is as if it had gone; null: it is not. */
  readonly shutOut: 'blocked' | 'waits-for-approval' | null;
  readonly presence: 'online' | 'offline' | 'unknown';
  /** `drifted`: it reports others than it confirmed, and is sent them again. */
  readonly settings: 'applied' | 'pending' | 'refused' | 'drifted';
  readonly refusal: string | null;
  /** `not-wanted`: its schedule, or somebody, took it off the air. */
  readonly onAir: 'yes' | 'no' | 'not-wanted';
  /** Codes of its critical conditions. */
  readonly critical: readonly string[];
};
/** By id; a device that is not among them was removed or has left the group. */
export type RolloutFacts = ReadonlyMap<string, DeviceFacts>;

export type RolloutEvent =
  | { readonly kind: 'time' }
  | { readonly kind: 'halt'; readonly reason: string }
  | { readonly kind: 'resume' }
  /** `override`: of a completed one also what was changed since. */
  | { readonly kind: 'roll-back'; readonly override: boolean };

export type RolloutAction =
  | { readonly kind: 'give'; readonly deviceIds: readonly string[] }
  | { readonly kind: 'take'; readonly deviceIds: readonly string[] }
  | { readonly kind: 'complete' }
  | { readonly kind: 'drop'; readonly override: boolean };

/** A device that is there says within this time what became of the change; it tries it for 20 s. */
export const confirmWithinMs = 120_000;
/** New settings may cost a restart of the pipeline: for so long nothing is held against them. */
export const graceMs = 30_000;
/** Offline for longer than this after it got the change: lost. */
export const lostAfterMs = 60_000;
/** A restart of the pipeline or a bad minute of the network may cost a few; with so many it fails, and its next good moment does not change that. */
export const maxFalls = 5;

type Step = { readonly rollout: RolloutState; readonly actions: readonly RolloutAction[] };

export function transition(rollout: RolloutState, event: RolloutEvent, facts: RolloutFacts, nowMs: number): Step {
  if (rollout.kind === 'rolled-back' || (rollout.kind === 'completed' && event.kind !== 'roll-back')) return { rollout, actions: [] };
  switch (event.kind) {
    case 'time':
      return afterTime(rollout, facts, nowMs);
    case 'halt':
      return { rollout: rollout.kind === 'running' ? { ...rollout, kind: 'halted', reason: event.reason } : rollout, actions: [] };
    case 'resume': {
      if (rollout.kind !== 'halted') return { rollout, actions: [] };
      const devices = rollout.devices.map((device) => (device.kind === 'failed' ? { ...device, kind: 'excused' as const } : device));
      // Nobody is left of it who could prove anything: whoever goes on does so without.
      const wave = isUnproven(rollout) ? rollout.wave + 1 : rollout.wave;
      return { rollout: { ...rollout, kind: 'running', reason: null, wave, devices }, actions: [] };
    }
    case 'roll-back':
      return { rollout: { ...rollout, kind: 'rolled-back' }, actions: [{ kind: 'drop', override: event.override }] };
    default:
      return event satisfies never;
  }
}

function afterTime(rollout: RolloutState, facts: RolloutFacts, nowMs: number): Step {
  const observed = rollout.devices.map((device) => deviceAfter(device, facts.get(device.id), rollout.soakMs, nowMs));
  const gone = observed.filter((device, index) => device.kind === 'left' && isGiven(rollout.devices[index]));
  const take: RolloutAction[] = gone.length === 0 ? [] : [{ kind: 'take', deviceIds: gone.map(({ id }) => id) }];
  const now = { ...rollout, devices: observed };
  if (rollout.kind === 'halted') return { rollout: now, actions: take };

  const unwellGone = observed.filter((device, index) => device.kind === 'left' && rollout.devices[index]?.kind === 'troubled');
  const failure = tooManyFailed(now, unwellGone) ?? (isUnproven(now) ? unprovenWords : null);
  if (failure !== null) return { rollout: { ...now, kind: 'halted', reason: failure }, actions: take };
  const isDone = isSettled(now);
  if (isDone && now.wave + 1 >= now.waveCount) return { rollout: { ...now, kind: 'completed' }, actions: [...take, { kind: 'complete' }] };
  const wave = isDone ? now.wave + 1 : now.wave;
  const given = giveWave(now.devices, wave, facts, nowMs);
  const deviceIds = given.filter((device, index) => device.kind === 'sent' && device !== now.devices[index]).map(({ id }) => id);
  const give: RolloutAction[] = deviceIds.length === 0 ? [] : [{ kind: 'give', deviceIds }];
  return { rollout: { ...now, wave, devices: given }, actions: [...take, ...give] };
}

/** Those of the waves up to this one that have not got it and are there now. */
function giveWave(devices: readonly RolloutDeviceState[], wave: number, facts: RolloutFacts, nowMs: number): readonly RolloutDeviceState[] {
  return devices.map((device) => {
    const fact = facts.get(device.id);
    if (device.wave > wave || fact === undefined || (device.kind !== 'waiting' && device.kind !== 'absent')) return device;
    if (fact.presence === 'online') {
      return { ...device, kind: 'sent', sinceMs: nowMs, reason: null, before: { wasLive: fact.onAir === 'yes', critical: fact.critical } };
    }
    return fact.presence === 'offline' && device.kind === 'waiting' ? { ...device, kind: 'absent', sinceMs: nowMs } : device;
  });
}

function deviceAfter(device: RolloutDeviceState, fact: DeviceFacts | undefined, soakMs: number, nowMs: number): RolloutDeviceState {
  const to = (kind: RolloutDeviceKind, reason: string | null = null): RolloutDeviceState => ({ ...device, kind, sinceMs: nowMs, reason });
  const fallen = (trouble: string): RolloutDeviceState => {
    const falls = device.falls + 1;
    const words = `unsteady: ${falls} times unwell, offline or drifted since it got the change; now: ${trouble}`;
    return { ...(falls < maxFalls ? to('troubled', trouble) : to('failed', words)), falls };
  };
  if (device.kind === 'left') return device;
  const left = (why: string) => to('left', device.kind === 'troubled' ? `${why} It was unwell: ${device.reason}` : why);
  if (fact === undefined) return left('It was removed, or moved to another group.');
  if (fact.shutOut !== null) return left(shutOutWords[fact.shutOut]);
  if (fact.presence === 'unknown') return device;
  const agedMs = nowMs - device.sinceMs;
  const isOffline = fact.presence === 'offline';
  switch (device.kind) {
    case 'waiting':
    case 'absent':
    case 'steady':
    case 'excused':
      return device;
    case 'sent':
      if (fact.settings === 'refused') return to('failed', `refused: ${fact.refusal ?? 'it did not say why'}`);
      if (isOffline) return fallen(offlineWords);
      if (fact.settings === 'applied') {
        if (soakMs === 0) return to('steady');
        // What is wrong at that moment is no part of the time in which it is well.
        const trouble = troubleOf(device, fact);
        return trouble === null ? to('soaking') : fallen(trouble);
      }
      if (agedMs < confirmWithinMs) return device;
      return to('failed', fact.settings === 'drifted' ? `drifted: ${driftWords}` : `silent: not confirmed for ${confirmWithinMs / 1000} s`);
    case 'soaking': {
      if (fact.settings === 'refused') return to('failed', `refused: ${fact.refusal ?? 'it did not say why'}`);
      const trouble = troubleOf(device, fact) ?? (fact.settings === 'drifted' ? driftWords : null);
      if (trouble !== null) return fallen(trouble);
      if (fact.settings === 'pending') return to('sent');
      return agedMs >= soakMs ? to('steady') : device;
    }
    case 'troubled': {
      if (fact.settings === 'refused') return to('failed', `refused: ${fact.refusal ?? 'it did not say why'}`);
      const trouble = troubleOf(device, fact);
      if (trouble === null) return fact.settings === 'applied' ? to('soaking') : to('sent');
      // Offline has a time of its own.
      if ((trouble === offlineWords) !== (device.reason === offlineWords)) return isOffline ? fallen(trouble) : to('troubled', trouble);
      if (agedMs < (isOffline ? lostAfterMs : graceMs)) return device;
      return to('failed', isOffline ? `lost: offline for ${lostAfterMs / 1000} s since it got the change` : `unwell: ${trouble}`);
    }
    case 'failed':
      // It has come round: a lost one is back, a silent one has confirmed.
      return device.falls < maxFalls && fact.settings === 'applied' && troubleOf(device, fact) === null ? to('soaking') : device;
    default:
      return device.kind satisfies never;
  }
}

const shutOutWords = { blocked: 'It was blocked.', 'waits-for-approval': 'It waits for approval.' } as const;
const offlineWords = 'It is offline.';
const driftWords = 'It reports other settings than it confirmed.';

function troubleOf({ before }: RolloutDeviceState, { presence, onAir, critical }: DeviceFacts): string | null {
  if (presence === 'offline') return offlineWords;
  const fresh = critical.filter((code) => !before.critical.includes(code));
  if (fresh.length > 0) return `It says ${fresh.join(', ')}.`;
  return before.wasLive && onAir === 'no' ? 'Its stream was on air before and is not now.' : null;
}

function isGiven(device: RolloutDeviceState | undefined): boolean {
  return device !== undefined && !['waiting', 'absent', 'left'].includes(device.kind);
}

/** `unwellGone`: those that went just now, while they were unwell. */
function tooManyFailed({ devices, failureThresholdPercent }: RolloutState, unwellGone: readonly RolloutDeviceState[]): string | null {
  // Those that somebody went on with nevertheless are counted as having it.
  const given = [...unwellGone, ...devices.filter(isGiven)];
  const failed = given.filter((device) => device.kind === 'failed' || device.kind === 'left');
  const [first] = failed;
  if (first === undefined || failed.length * 100 <= failureThresholdPercent * given.length) return null;
  const words = `${failed.length} of the ${given.length} devices that have it failed, more than ${failureThresholdPercent} %`;
  return `${words}: ${first.id} ${first.reason ?? ''}`.slice(0, 500);
}

function isSettled({ devices, wave, waveCount }: RolloutState): boolean {
  const reached = devices.filter((device) => device.wave <= wave);
  if (reached.some(({ kind }) => ['waiting', 'sent', 'soaking', 'troubled'].includes(kind))) return false;
  return wave > 0 || waveCount === 1 || reached.some(({ kind }) => kind === 'steady' || kind === 'failed' || kind === 'excused');
}

const unprovenWords = 'Nobody proved the change: all devices of the first wave are gone, removed, moved or blocked.';

/** Of a first wave among several nobody is left. */
function isUnproven({ devices, wave, waveCount }: RolloutState): boolean {
  return wave === 0 && waveCount > 1 && devices.every((device) => device.wave > 0 || device.kind === 'left');
}
