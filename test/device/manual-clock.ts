/** A clock that stands still until a test moves it. */
import type { Clock } from '#device/media/clock.ts';

export type ManualClock = Clock & {
  /** Moves both clocks and calls what is due, in order, letting promises settle in between. */
  readonly advance: (byMs: number) => Promise<void>;
  /** Moves the wall clock alone, as a correction of the time does. */
  readonly correctWallClock: (byMs: number) => void;
  readonly waitingTimers: () => number;
};

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function manualClock(startMs = Date.parse('2026-11-21T12:00:00Z')): ManualClock {
  let monotonicMs = 1000;
  let offsetMs = startMs - monotonicMs;
  let timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  return {
    nowMs: () => monotonicMs + offsetMs,
    monotonicMs: () => monotonicMs,
    schedule: (callback, delayMs) => {
      const timer = { atMs: monotonicMs + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((waiting) => waiting !== timer);
      };
    },
    advance: async (byMs) => {
      const untilMs = monotonicMs + byMs;
      await settle();
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= untilMs).toSorted((one, other) => one.atMs - other.atMs)[0];
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        monotonicMs = Math.max(monotonicMs, next.atMs);
        next.callback();
        await settle();
      }
      monotonicMs = untilMs;
    },
    correctWallClock: (byMs) => {
      offsetMs += byMs;
    },
    waitingTimers: () => timers.length,
  };
}
