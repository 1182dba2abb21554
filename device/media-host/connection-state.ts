/** The life of one connection to a target, pure: a state and an event give the next state and what is to be done. */
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import type { OutputState } from '#protocol/media.ts';

export type ConnectionState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'connecting'; readonly attempt: number; readonly lastError: string | null }
  | { readonly kind: 'streaming'; readonly attempt: number; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly untilMs: number; readonly lastError: string };

export type ConnectionEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The wait is over, or there is reason to try before its end. */
  | { readonly kind: 'retry-due' };

export type ConnectionEffect =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'say'; readonly event: 'output-lost' | 'output-streaming' | 'output-refused'; readonly detail: string };

export type ConnectionMoment = { readonly nowMs: number; readonly random: number; readonly policy: BackOffPolicy };

/**
 * Small steps at first, so that a relay that was only restarted has its stream back within about a second. A relay that is
 * gone for long is asked each ten seconds at most.
 */
export const reconnectPolicy: BackOffPolicy = { firstMs: 500, factor: 1.3, capMs: 10_000, jitter: 0.5 };

/** A server that accepts and hangs up at once must not be asked twice a second for ever. */
const provenAfterMs = 10_000;

export type ConnectionTransition = { readonly state: ConnectionState; readonly effects: readonly ConnectionEffect[] };

/** As the device reports it: times by the wall clock. */
export function reportedState(state: ConnectionState, clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): OutputState {
  const wallClock = (monotonicMs: number) => new Date(clock.nowMs() + monotonicMs - clock.monotonicMs()).toISOString();
  switch (state.kind) {
    case 'stopped':
      return { kind: 'stopped' };
    case 'connecting':
      return { kind: 'connecting', attempt: state.attempt, ...(state.lastError !== null && { lastError: state.lastError }) };
    case 'streaming':
      return { kind: 'streaming', since: wallClock(state.sinceMs) };
    case 'waiting':
      return { kind: 'waiting', attempt: state.attempt, nextTryAt: wallClock(state.untilMs), lastError: state.lastError };
    default:
      return state satisfies never;
  }
}

export function transition(state: ConnectionState, event: ConnectionEvent, moment: ConnectionMoment): ConnectionTransition {
  const unchanged: ConnectionTransition = { state, effects: [] };
  switch (event.kind) {
    case 'start':
      if (state.kind !== 'stopped') return unchanged;
      return { state: { kind: 'connecting', attempt: 1, lastError: null }, effects: [{ kind: 'open' }] };
    case 'stop':
      return state.kind === 'stopped' ? unchanged : { state: { kind: 'stopped' }, effects: [{ kind: 'close' }] };
    case 'connected':
      if (state.kind !== 'connecting') return unchanged;
      return {
        state: { kind: 'streaming', attempt: state.attempt, sinceMs: moment.nowMs },
        effects: [{ kind: 'say', event: 'output-streaming', detail: state.attempt === 1 ? '' : `after ${state.attempt} attempts` }],
      };
    case 'failed':
      return failed(state, event.reason, moment) ?? unchanged;
    case 'retry-due':
      if (state.kind !== 'waiting') return unchanged;
      return { state: { kind: 'connecting', attempt: state.attempt, lastError: state.lastError }, effects: [{ kind: 'open' }] };
    default:
      return event satisfies never;
  }
}

function failed(state: ConnectionState, reason: string, moment: ConnectionMoment): ConnectionTransition | null {
  if (state.kind !== 'connecting' && state.kind !== 'streaming') return null;
  const isProven = state.kind === 'streaming' && moment.nowMs - state.sinceMs >= provenAfterMs;
  const retry = isProven ? 1 : state.attempt;
  const delayMs = backOffDelay(moment.policy, retry, moment.random);
  // Said once a cause, not once an attempt.
  const isNews = state.kind === 'streaming' || state.lastError !== reason;
  return {
    state: { kind: 'waiting', attempt: retry + 1, untilMs: moment.nowMs + delayMs, lastError: reason },
    effects: [
      { kind: 'close' },
      { kind: 'wait', delayMs },
      ...(isNews ? [{ kind: 'say', event: state.kind === 'streaming' ? 'output-lost' : 'output-refused', detail: reason } as const] : []),
    ],
  };
}
