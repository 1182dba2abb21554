/** Time and timers, passed in, so that tests run on a clock of their own and never sleep. */
export type Clock = {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
  /** Milliseconds since some moment: for measuring. It never goes back, and knows nothing of a clock that is set to another time. */
  monotonicMs(): number;
  /** Calls `fn` once after `ms`; the answer cancels it and may be called twice. */
  after(ms: number, fn: () => void): () => void;
  /** Calls `fn` every `ms`; the answer cancels it and may be called twice. */
  every(ms: number, fn: () => void): () => void;
};

/** Its timers do not keep the process alive: the servers' sockets do. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every: (ms, fn) => {
    const timer = setInterval(fn, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** One moment by both: what people read, and what is measured by. */
export type Moment = { readonly nowMs: number; readonly monotonicMs: number };

export function momentOf(clock: Clock): Moment {
  return { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
}

/**
 * A time for measuring in the numbers of the time of day: what the clock said when this was made, and since then what has passed. Where a time of day
 * is kept and its age is asked for, a clock that is set to another time meanwhile (a board without a battery, once it finds a time server) else makes
 * it hours older, or puts it hours ahead. In whole milliseconds: it may be stored.
 */
export function steadyTime(clock: Clock): () => number {
  const begun = momentOf(clock);
  return () => Math.round(begun.nowMs + clock.monotonicMs() - begun.monotonicMs);
}

/** When something began by `steadyNowMs`, of which the time of day is kept; what is ahead of the clock began just now. */
export function steadySince(sinceMs: number, nowMs: number, steadyNowMs: number): number {
  return steadyNowMs - Math.max(0, nowMs - sinceMs);
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
