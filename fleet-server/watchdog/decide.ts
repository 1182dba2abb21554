/**
 * The watchdog's decisions, pure: what was known at the last look, what is known now, and the time; out comes what to do.
 *
 * INVARIANTS
 * - Nothing is ever done to a device that is offline, unknown, streams elsewhere, is in a maintenance window,
 *   or was told to stop and records nothing.
 * - Each bound an hour holds over restarts of the server: what was done before is read from the history (`initialState`).
 */
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import { isAtRest, pauseAfterMs, type Rule, rules, settleMs } from '#fleet-server/watchdog/policy.ts';
import { isUsable, nextStep } from '#fleet-server/watchdog/steps.ts';
import type { WatchdogCommand, WatchdogFault, WatchdogPolicy } from '#protocol/model/watchdog.ts';

const hourMs = 3_600_000;

/** `fault`: null where only the history tells of it. */
export type Act = { readonly command: WatchdogCommand; readonly fault: WatchdogFault | null; readonly atMs: number };

export type Watched = {
  /** The connection in which it was seen last, and since when. */
  readonly connection: { readonly since: string; readonly seenAtMs: number } | null;
  readonly fault: { readonly kind: WatchdogFault; readonly sinceMs: number } | null;
  /** Since when it has had no fault; null while it has one, or is not there. */
  readonly goodSinceMs: number | null;
  /** In this run of faults. */
  readonly attempts: number;
  readonly notBeforeMs: number;
  /** Within the last hour; the policy bounds how many. */
  readonly acts: readonly Act[];
  /** What was said of this fault: that it is there, or that nothing helps. */
  readonly hasSaid: boolean;
};

export type WatchdogState = {
  readonly startedAtMs: number;
  readonly devices: ReadonlyMap<string, Watched>;
  readonly earlier: ReadonlyMap<string, readonly Act[]>;
};

export type Views = {
  readonly devices: Iterable<DeviceView>;
  /** Of the relay that it streams to; null while that does not run. */
  relayRunningSinceMs(device: DeviceView): number | null;
  policyOf(device: DeviceView): WatchdogPolicy;
  /** In a maintenance window. */
  isSilenced(device: DeviceView): boolean;
};

export type WatchdogAction =
  | {
      readonly kind: 'restart';
      readonly deviceId: string;
      readonly command: WatchdogCommand;
      readonly fault: WatchdogFault;
      readonly attempt: number;
      readonly detail: string;
    }
  | { readonly kind: 'pause' | 'tell'; readonly deviceId: string; readonly detail: string };

type Step = { readonly watched: Watched; readonly action?: WatchdogAction };

/** `earlier`: what the history says was done within the last hour. */
export function initialState(startedAtMs: number, earlier: ReadonlyMap<string, readonly Act[]> = new Map()): WatchdogState {
  return { startedAtMs, devices: new Map(), earlier };
}

export function decide(
  state: WatchdogState,
  views: Views,
  nowMs: number,
): { readonly state: WatchdogState; readonly actions: readonly WatchdogAction[] } {
  const isServerSettled = nowMs - state.startedAtMs >= settleMs;
  const devices = new Map<string, Watched>();
  const actions: WatchdogAction[] = [];
  for (const device of views.devices) {
    const known = state.devices.get(device.id);
    const earlier = state.earlier.get(device.id);
    // Of a large fleet many are away or stream elsewhere, and this is asked twice a second.
    const isConcern = !isNobodysConcern(device);
    if (!isConcern && known === undefined && earlier === undefined) continue;
    const before = known ?? (earlier === undefined ? unwatched : { ...unwatched, acts: earlier });
    if (!isConcern && hasNothingOpen(before)) {
      devices.set(device.id, before);
      continue;
    }
    const policy = views.policyOf(device);
    const seen = observe(before, device, policy, views.isSilenced(device), nowMs);
    const isDue = isServerSettled && isRelaySettledFor(seen, views.relayRunningSinceMs(device), nowMs);
    const { watched, action } = isDue ? act(seen, device, policy, nowMs) : { watched: seen, action: undefined };
    devices.set(device.id, watched);
    if (action !== undefined) actions.push(action);
  }
  return { state: { ...state, devices }, actions };
}

function isRelaySettledFor({ fault }: Watched, runningSinceMs: number | null, nowMs: number): boolean {
  if (rules.find((rule) => rule.fault === fault?.kind)?.needsRelay !== true) return true;
  return runningSinceMs !== null && nowMs - runningSinceMs >= settleMs;
}

const unwatched: Watched = {
  connection: null,
  fault: null,
  goodSinceMs: null,
  attempts: 0,
  notBeforeMs: 0,
  acts: [],
  hasSaid: false,
};

function isNobodysConcern({ presence, streamsHere }: DeviceView): boolean {
  return presence.state !== 'online' || !streamsHere;
}

function hasNothingOpen({ connection, fault, goodSinceMs, acts }: Watched): boolean {
  return connection === null && fault === null && goodSinceMs === null && acts.length === 0;
}

function observe(before: Watched, device: DeviceView, policy: WatchdogPolicy, isSilenced: boolean, nowMs: number): Watched {
  const hasOld = before.acts.some(({ atMs }) => nowMs - atMs >= hourMs);
  const watched = hasOld ? { ...before, acts: before.acts.filter(({ atMs }) => nowMs - atMs < hourMs) } : before;
  if (device.presence.state !== 'online' || !device.streamsHere || isAtRest(device))
    return { ...watched, connection: null, fault: null, goodSinceMs: null };
  const { since } = device.presence;
  const connection = before.connection?.since === since ? before.connection : { since, seenAtMs: nowMs };
  // What people do to it meanwhile is not its fault: afterwards it begins anew.
  if (isSilenced) return { ...watched, connection, fault: null, goodSinceMs: null, attempts: 0, notBeforeMs: 0, hasSaid: false };
  const rule = rules.find((candidate) => policy.faults[candidate.fault].response !== 'ignore' && candidate.applies(device));
  if (rule === undefined) {
    const goodSinceMs = before.goodSinceMs ?? nowMs;
    const isForgiven = nowMs - goodSinceMs >= policy.forgiveAfterS * 1000;
    const isClean = before.attempts === 0 && before.notBeforeMs === 0 && !before.hasSaid;
    // Of nearly every device nothing is new.
    const isAsBefore = connection === before.connection && before.fault === null && goodSinceMs === before.goodSinceMs;
    if (isAsBefore && (isClean || !isForgiven)) return watched;
    const forgiven = isForgiven ? { attempts: 0, notBeforeMs: 0, hasSaid: false } : {};
    return { ...watched, ...forgiven, connection, fault: null, goodSinceMs };
  }
  const sinceMs = before.fault?.kind === rule.fault ? before.fault.sinceMs : nowMs;
  return { ...watched, connection, fault: { kind: rule.fault, sinceMs }, goodSinceMs: null };
}

function act(watched: Watched, device: DeviceView, policy: WatchdogPolicy, nowMs: number): Step {
  const { fault, connection } = watched;
  const rule = rules.find((candidate) => candidate.fault === fault?.kind);
  if (fault === null || connection === null || rule === undefined) return { watched };
  const { response, holdS } = policy.faults[fault.kind];
  const isSettled = nowMs - connection.seenAtMs >= settleMs;
  if (!isSettled || nowMs - fault.sinceMs < holdS * 1000 || nowMs < watched.notBeforeMs) return { watched };
  const why = `for ${seconds(nowMs - fault.sinceMs)} ${rule.describe(device)}`;
  if (response === 'tell') return say(watched, device, 'tell', `Seen: ${why}. The watchdog does nothing about it.`);
  if (response === 'once') {
    const isDone = watched.acts.some((done) => done.fault === null || done.fault === fault.kind);
    if (isDone) return say(watched, device, 'tell', `Seen: ${why}. A restart within the last hour did not end it: look at the device.`);
    const first = policy.steps.find((step) => isUsable(step, watched.acts, device));
    return first === undefined || isAtBound(watched, policy)
      ? pause(watched, device)
      : restart(watched, device, rule, { policy, why, nowMs, command: first.command });
  }
  const command = isAtBound(watched, policy) ? null : nextStep(policy.steps, watched.attempts, watched.acts, device);
  return command === null ? pause(watched, device) : restart(watched, device, rule, { policy, why, nowMs, command });
}

function isAtBound({ acts }: Watched, { maxAnHour }: WatchdogPolicy): boolean {
  return acts.length >= maxAnHour;
}

type Restart = { readonly policy: WatchdogPolicy; readonly why: string; readonly nowMs: number; readonly command: WatchdogCommand };

function restart(watched: Watched, device: DeviceView, { fault }: Rule, { policy, why, nowMs, command }: Restart): Step {
  const attempt = watched.attempts + 1;
  const pauseMs = pauseAfterMs(policy, attempt);
  const detail = `Attempt ${attempt}, because ${why}. The next one in ${seconds(pauseMs)} at the earliest.`;
  return {
    watched: {
      ...watched,
      attempts: attempt,
      notBeforeMs: nowMs + pauseMs,
      acts: [...watched.acts, { command, fault, atMs: nowMs }],
      hasSaid: false,
    },
    action: { kind: 'restart', deviceId: device.id, command, fault, attempt, detail: detail.slice(0, 500) },
  };
}

function pause(watched: Watched, device: DeviceView): Step {
  const detail = `${watched.acts.length} restarts within an hour did not help, or nothing more is allowed: the watchdog waits. Look at the device.`;
  return say(watched, device, 'pause', detail);
}

function say(watched: Watched, device: DeviceView, kind: 'pause' | 'tell', detail: string): Step {
  if (watched.hasSaid) return { watched };
  return { watched: { ...watched, hasSaid: true }, action: { kind, deviceId: device.id, detail: detail.slice(0, 500) } };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
