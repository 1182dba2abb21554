/**
 * The watchdog's decisions, pure: what was known a second ago, what is known now, and the time; out comes what to do.
 *
 * INVARIANT: nothing is ever done to a device that is offline, unknown, or streams elsewhere.
 */
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import { type FaultKind, pauseAfterMs, type Rule, remedyFor, rules, watchdogPolicy } from '#fleet-server/watchdog/policy.ts';
import type { CommandKind } from '#protocol/commands.ts';

const hourMs = 3_600_000;

export type Watched = {
  /** The connection in which it was seen last, and since when. */
  readonly connection: { readonly since: string; readonly seenAtMs: number } | null;
  readonly fault: { readonly kind: FaultKind; readonly sinceMs: number } | null;
  /** Since when it has had no fault; null while it has one, or is not there. */
  readonly goodSinceMs: number | null;
  /** In this run of faults. */
  readonly attempts: number;
  readonly notBeforeMs: number;
  /** Within the last hour; at most `maxAttemptsAnHour`. */
  readonly attemptedAtMs: readonly number[];
  readonly saidThatItPauses: boolean;
};

export type WatchdogState = { readonly startedAtMs: number; readonly devices: ReadonlyMap<string, Watched> };

export type Views = {
  readonly devices: Iterable<DeviceView>;
  /** Null while the relay does not run. */
  readonly relayRunningSinceMs: number | null;
};

export type WatchdogAction =
  | {
      readonly kind: 'restart';
      readonly deviceId: string;
      readonly command: CommandKind;
      readonly fault: FaultKind;
      readonly attempt: number;
      readonly detail: string;
    }
  | { readonly kind: 'pause'; readonly deviceId: string; readonly detail: string };

export function initialState(startedAtMs: number): WatchdogState {
  return { startedAtMs, devices: new Map() };
}

export function decide(
  state: WatchdogState,
  views: Views,
  nowMs: number,
): { readonly state: WatchdogState; readonly actions: readonly WatchdogAction[] } {
  const { relayRunningSinceMs } = views;
  const isRelaySettled = relayRunningSinceMs !== null && nowMs - relayRunningSinceMs >= watchdogPolicy.settleMs;
  const isServerSettled = nowMs - state.startedAtMs >= watchdogPolicy.settleMs;
  const devices = new Map<string, Watched>();
  const actions: WatchdogAction[] = [];
  for (const device of views.devices) {
    const seen = observe(state.devices.get(device.id) ?? unwatched, device, nowMs);
    const { watched, action } = isRelaySettled && isServerSettled ? act(seen, device, nowMs) : { watched: seen, action: undefined };
    devices.set(device.id, watched);
    if (action !== undefined) actions.push(action);
  }
  return { state: { startedAtMs: state.startedAtMs, devices }, actions };
}

const unwatched: Watched = {
  connection: null,
  fault: null,
  goodSinceMs: null,
  attempts: 0,
  notBeforeMs: 0,
  attemptedAtMs: [],
  saidThatItPauses: false,
};

function observe(before: Watched, device: DeviceView, nowMs: number): Watched {
  const attemptedAtMs = before.attemptedAtMs.filter((atMs) => nowMs - atMs < hourMs);
  const watched = { ...before, attemptedAtMs };
  if (device.presence.state !== 'online' || !device.streamsHere) return { ...watched, connection: null, fault: null, goodSinceMs: null };
  const { since } = device.presence;
  const connection = before.connection?.since === since ? before.connection : { since, seenAtMs: nowMs };
  const rule = rules.find(({ applies }) => applies(device));
  if (rule === undefined) {
    const goodSinceMs = before.goodSinceMs ?? nowMs;
    const isForgiven = nowMs - goodSinceMs >= watchdogPolicy.forgiveAfterMs;
    const forgiven = isForgiven ? { attempts: 0, notBeforeMs: 0 } : {};
    return { ...watched, ...forgiven, connection, fault: null, goodSinceMs };
  }
  const sinceMs = before.fault?.kind === rule.fault ? before.fault.sinceMs : nowMs;
  return { ...watched, connection, fault: { kind: rule.fault, sinceMs }, goodSinceMs: null };
}

function act(watched: Watched, device: DeviceView, nowMs: number): { watched: Watched; action?: WatchdogAction } {
  const { fault, connection } = watched;
  const rule = rules.find((candidate) => candidate.fault === fault?.kind);
  if (fault === null || connection === null || rule === undefined) return { watched };
  const isSettled = nowMs - connection.seenAtMs >= watchdogPolicy.settleMs;
  if (!isSettled || nowMs - fault.sinceMs < rule.holdMs || nowMs < watched.notBeforeMs) return { watched };
  if (watched.attemptedAtMs.length >= watchdogPolicy.maxAttemptsAnHour) return pause(watched, device);
  return restart(watched, device, rule, { nowMs, lastedMs: nowMs - fault.sinceMs });
}

function restart(
  watched: Watched,
  device: DeviceView,
  rule: Rule,
  { nowMs, lastedMs }: { readonly nowMs: number; readonly lastedMs: number },
): { watched: Watched; action: WatchdogAction } {
  const attempt = watched.attempts + 1;
  const pauseMs = pauseAfterMs(attempt);
  const detail = `Attempt ${attempt}, because for ${seconds(lastedMs)} ${rule.describe(device)}. The next one in ${seconds(pauseMs)} at the earliest.`;
  return {
    watched: {
      ...watched,
      attempts: attempt,
      notBeforeMs: nowMs + pauseMs,
      attemptedAtMs: [...watched.attemptedAtMs, nowMs],
      saidThatItPauses: false,
    },
    action: { kind: 'restart', deviceId: device.id, command: remedyFor(attempt), fault: rule.fault, attempt, detail: detail.slice(0, 500) },
  };
}

function pause(watched: Watched, device: DeviceView): { watched: Watched; action?: WatchdogAction } {
  if (watched.saidThatItPauses) return { watched };
  const detail = `${watchdogPolicy.maxAttemptsAnHour} restarts within an hour did not help: the watchdog waits. Look at the device.`;
  return { watched: { ...watched, saidThatItPauses: true }, action: { kind: 'pause', deviceId: device.id, detail } };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
