/**
 * The watchdog's decisions, pure: what was known at the last look, what is known now, and the time; out comes what to do.
 *
 * INVARIANTS
 * - Nothing is ever done to a device that is offline, unknown, is in a maintenance window, or was told to stop and records nothing.
 * - Of a device that streams elsewhere only its own word counts: what the relay receives says nothing of it (`streamsHere` in the rules).
 * - Each bound an hour holds over restarts of the server: what was done before is read from the history (`initialState`).
 */
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import { faultsAfter, heldMs, type SeenFault, saidOf, unseen } from '#fleet-server/watchdog/faults.ts';
import { isAtRest, pauseAfterMs, type Rule, rules, settleMs } from '#fleet-server/watchdog/policy.ts';
import { isUsable, nextStep } from '#fleet-server/watchdog/steps.ts';
import type { WatchdogCommand, WatchdogFault, WatchdogPolicy } from '#protocol/model/watchdog.ts';

const hourMs = 3_600_000;

/** `fault`: null where only the history tells of it. */
export type Act = { readonly command: WatchdogCommand; readonly fault: WatchdogFault | null; readonly atMs: number };

export type Watched = {
  /** The connection in which it was seen last, and since when. */
  readonly connection: { readonly since: string; readonly seenAtMs: number } | null;
  readonly faults: readonly SeenFault[];
  /** Since when it has had no fault that is more than told; null while it has one, or is not there. */
  readonly goodSinceMs: number | null;
  /** In this run of faults. */
  readonly attempts: number;
  readonly notBeforeMs: number;
  /** Within the last hour; the policy bounds how many. */
  readonly acts: readonly Act[];
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
    // Of a large fleet many are away, and this is asked twice a second.
    const isThere = device.presence.state === 'online';
    if (!isThere && known === undefined && earlier === undefined) continue;
    const before = known ?? (earlier === undefined ? unwatched : { ...unwatched, acts: earlier });
    if (!isThere && hasNothingOpen(before)) {
      devices.set(device.id, before);
      continue;
    }
    const policy = views.policyOf(device);
    const seen = observe(before, device, policy, views.isSilenced(device), nowMs);
    const relaySinceMs = views.relayRunningSinceMs(device);
    const isRelaySettled = relaySinceMs !== null && nowMs - relaySinceMs >= settleMs;
    const { watched, action } = isServerSettled ? act(seen, device, policy, isRelaySettled, nowMs) : { watched: seen, action: undefined };
    devices.set(device.id, watched);
    if (action !== undefined) actions.push(action);
  }
  return { state: { ...state, devices }, actions };
}

const unwatched: Watched = {
  connection: null,
  faults: [],
  goodSinceMs: null,
  attempts: 0,
  notBeforeMs: 0,
  acts: [],
};

function hasNothingOpen({ connection, goodSinceMs, acts }: Watched): boolean {
  return connection === null && goodSinceMs === null && acts.length === 0;
}

function observe(before: Watched, device: DeviceView, policy: WatchdogPolicy, isSilenced: boolean, nowMs: number): Watched {
  const hasOld = before.acts.some(({ atMs }) => nowMs - atMs >= hourMs);
  const watched = hasOld ? { ...before, acts: before.acts.filter(({ atMs }) => nowMs - atMs < hourMs) } : before;
  if (device.presence.state !== 'online' || isAtRest(device))
    return { ...watched, connection: null, faults: unseen(before.faults, nowMs), goodSinceMs: null };
  const { since } = device.presence;
  const connection = before.connection?.since === since ? before.connection : { since, seenAtMs: nowMs };
  // What people do to it meanwhile is not its fault: afterwards it begins anew.
  if (isSilenced) return { ...watched, connection, faults: [], goodSinceMs: null, attempts: 0, notBeforeMs: 0 };
  const there = rules
    .filter(({ fault, applies }) => policy.faults[fault].response !== 'ignore' && applies(device))
    .map(({ fault }) => fault);
  const known = before.connection === null ? unseen(before.faults, nowMs) : before.faults;
  const faults = faultsAfter(known, there, policy, nowMs);
  if (there.some((fault) => policy.faults[fault].response !== 'tell')) return { ...watched, connection, faults, goodSinceMs: null };
  const goodSinceMs = before.goodSinceMs ?? nowMs;
  const isForgiven = nowMs - goodSinceMs >= policy.forgiveAfterS * 1000;
  const isClean = before.attempts === 0 && before.notBeforeMs === 0;
  // Of nearly every device nothing is new.
  const isAsBefore = connection === before.connection && faults === before.faults && goodSinceMs === before.goodSinceMs;
  if (isAsBefore && (isClean || !isForgiven)) return watched;
  return { ...watched, ...(isForgiven ? { attempts: 0, notBeforeMs: 0 } : {}), connection, faults, goodSinceMs };
}

/** One thing at a time: the first fault of which there is something to do or to say. */
function act(watched: Watched, device: DeviceView, policy: WatchdogPolicy, isRelaySettled: boolean, nowMs: number): Step {
  const { connection, faults, notBeforeMs } = watched;
  if (connection === null || nowMs - connection.seenAtMs < settleMs || nowMs < notBeforeMs) return { watched };
  for (const rule of rules) {
    const seen = faults.find(({ kind, isThere }) => isThere && kind === rule.fault);
    if (seen === undefined || heldMs(seen, nowMs) < policy.faults[rule.fault].holdS * 1000) continue;
    if (rule.needsRelay === true && !isRelaySettled) continue;
    const why = `for ${seconds(heldMs(seen, nowMs))}${seen.earlierMs > 0 ? ' in parts' : ''} ${rule.describe(device)}`;
    const step = actOn(watched, device, rule, { policy, why, nowMs });
    if (step.action !== undefined) return step;
  }
  return { watched };
}

type Cause = { readonly policy: WatchdogPolicy; readonly why: string; readonly nowMs: number };

function actOn(watched: Watched, device: DeviceView, rule: Rule, cause: Cause): Step {
  const { policy } = cause;
  const { fault } = rule;
  const { response } = policy.faults[fault];
  if (response === 'tell') return say(watched, device, fault, 'tell', `Seen: ${cause.why}. The watchdog does nothing about it.`);
  if (response === 'once' && watched.acts.some((done) => done.fault === null || done.fault === fault)) {
    const detail = `Seen: ${cause.why}. A restart within the last hour did not end it: look at the device.`;
    return say(watched, device, fault, 'tell', detail);
  }
  if (isAtBound(watched, policy)) return pause(watched, device, fault, cause);
  const command =
    response === 'once'
      ? (policy.steps.find((step) => isUsable(step, watched.acts, device))?.command ?? null)
      : nextStep(policy.steps, watched.attempts, watched.acts, device);
  return command === null ? pause(watched, device, fault, cause) : restart(watched, device, fault, command, cause);
}

function isAtBound({ acts }: Watched, { maxAnHour }: WatchdogPolicy): boolean {
  return acts.length >= maxAnHour;
}

function restart(
  watched: Watched,
  device: DeviceView,
  fault: WatchdogFault,
  command: WatchdogCommand,
  { policy, why, nowMs }: Cause,
): Step {
  const attempt = watched.attempts + 1;
  const pauseMs = pauseAfterMs(policy, attempt);
  const detail = `Attempt ${attempt}, because ${why}. The next one in ${seconds(pauseMs)} at the earliest.`;
  return {
    watched: {
      ...watched,
      attempts: attempt,
      notBeforeMs: nowMs + pauseMs,
      acts: [...watched.acts, { command, fault, atMs: nowMs }],
      faults: saidOf(watched.faults, fault, false),
    },
    action: { kind: 'restart', deviceId: device.id, command, fault, attempt, detail: detail.slice(0, 500) },
  };
}

function pause(watched: Watched, device: DeviceView, fault: WatchdogFault, { why }: Cause): Step {
  const words = `${watched.acts.length} restarts within an hour did not help, or nothing more is allowed: the watchdog waits. Look at the device.`;
  return say(watched, device, fault, 'pause', `${words} Seen: ${why}.`);
}

function say(watched: Watched, device: DeviceView, fault: WatchdogFault, kind: 'pause' | 'tell', detail: string): Step {
  if (watched.faults.some((seen) => seen.kind === fault && seen.hasSaid)) return { watched };
  return {
    watched: { ...watched, faults: saidOf(watched.faults, fault, true) },
    action: { kind, deviceId: device.id, detail: detail.slice(0, 500) },
  };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
