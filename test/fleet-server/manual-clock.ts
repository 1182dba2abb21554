/** A clock of the fleet server that stands still until a test moves it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '#fleet-server/clock.ts';

export type ManualClock = Clock & {
  /** Moves time and runs what is due, in order, letting promises settle in between. */
  advance(byMs: number): Promise<void>;
  /** Moves time alone, without what would have run meanwhile. */
  jump(byMs: number): void;
  /** Sets the time of day to another: nothing passes. */
  set(byMs: number): void;
};

/** What answers from another process, or from the disk: settled is only what it has answered. */
type Busy = { waiting(): number };
const stores = new Set<Busy>();

export function settleWith(store: Busy): void {
  stores.add(store);
}

/** Of a store that is closed. */
export function settleWithout(store: Busy): void {
  stores.delete(store);
}

/** Lets promises and callbacks that are already due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    while ([...stores].some((store) => store.waiting() > 0)) {
      turn = 0;
      // Asleep, since who asks without a pause takes the processor from the database that is to answer.
      await delay(1);
    }
  }
}

export function manualClock(startMs = Date.parse('2026-11-21T12:00:00Z')): ManualClock {
  let nowMs = startMs;
  let setByMs = 0;
  let timers: { atMs: number; readonly fn: () => void; readonly everyMs: number | null }[] = [];
  const add = (ms: number, fn: () => void, everyMs: number | null): (() => void) => {
    const timer = { atMs: nowMs + ms, fn, everyMs };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  return {
    nowMs: () => nowMs + setByMs,
    // A little quicker, as a real one has fractions: whoever stores what it says is found out.
    monotonicMs: () => nowMs + (nowMs - startMs) * 1e-7,
    after: (ms, fn) => add(ms, fn, null),
    every: (ms, fn) => add(ms, fn, ms),
    jump: (byMs) => {
      nowMs += byMs;
    },
    set: (byMs) => {
      setByMs += byMs;
    },
    advance: async (byMs) => {
      const untilMs = nowMs + byMs;
      await settle();
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        nowMs = next.atMs;
        if (next.everyMs === null) timers = timers.filter((timer) => timer !== next);
        else next.atMs += next.everyMs;
        next.fn();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}
