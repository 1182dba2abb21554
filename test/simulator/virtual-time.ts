/**
 * One time for everything in a run: it stands still until the run moves it, and between two moments whatever promises are due are settled.
 * Nothing in a run waits for anything else: a turn of the event loop is enough.
 */
import type { Clock as DeviceClock } from '#device/media/clock.ts';
import type { Clock as ServerClock } from '#fleet-server/clock.ts';

type Timer = { atMs: number; readonly order: number; run: (() => void) | null };

/** Lets what is already due run. `await null` would only settle promises that hang on no other. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class VirtualTime {
  #nowMs = Date.parse('2026-11-21T12:00:00Z');
  /** The next to run is the last. */
  readonly #timers: Timer[] = [];
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isLater(this.#timers[middle], timer)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.run = null;
    };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await turn();
    for (let next = this.#timers.at(-1); next !== undefined && next.atMs <= untilMs; next = this.#timers.at(-1)) {
      this.#timers.pop();
      if (next.run === null) continue;
      this.#nowMs = next.atMs;
      next.run();
      await turn();
    }
    this.#nowMs = untilMs;
  }
}

function isLater(one: Timer | undefined, other: Timer): boolean {
  return one !== undefined && (one.atMs > other.atMs || (one.atMs === other.atMs && one.order > other.order));
}

/** A wall clock that may be set to another time while timers go on. */
export type WallClock = { offsetMs: number };

/** Of one life of the fleet server: after its end nothing is called any more. */
export function serverClock(time: VirtualTime, wall: WallClock, isAlive: () => boolean): ServerClock {
  const after = (ms: number, fn: () => void) => time.after(ms, () => isAlive() && fn());
  return {
    nowMs: () => time.nowMs + wall.offsetMs,
    monotonicMs: () => time.nowMs,
    after,
    every: (ms, fn) => {
      const again = (): void => {
        cancel = after(ms, again);
        fn();
      };
      let cancel = after(ms, again);
      return () => cancel();
    },
  };
}

/** Of one life of an agent. */
export function deviceClock(time: VirtualTime, wall: WallClock, isAlive: () => boolean): DeviceClock {
  return {
    nowMs: () => time.nowMs + wall.offsetMs,
    monotonicMs: () => time.nowMs,
    schedule: (callback, delayMs) => time.after(delayMs, () => isAlive() && callback()),
  };
}
