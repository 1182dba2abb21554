/**
 * When a capture that fails again and again may be restarted: at the pace of its back-off as long as an hour's restarts last, then
 * at the pace at which the hour gives them back, one a minute. It never gives up. Pure; all times are of the monotonic clock.
 *
 * A new media host begins anew: it is a step of its own, with a bound an hour of its own, and comes with what may have
 * been at fault (descriptors, a driver's library) fresh.
 */
const hourMs = 3_600_000;
/**
 * A camera that falls over each few seconds has spent them in some minutes; from then on a viewer waits for a minute at most, and no
 * device is opened, and no memory lost to GStreamer, each second for a weekend.
 */
export const restartsAnHour = 60;
const givenBackEveryMs = hourMs / restartsAnHour;

export class RestartAllowance {
  /** When all of them are there again. */
  #wholeAtMs = Number.NEGATIVE_INFINITY;

  /** The capture is restarted. */
  spend(nowMs: number): void {
    this.#wholeAtMs = Math.min(Math.max(nowMs, this.#wholeAtMs) + givenBackEveryMs, nowMs + hourMs);
  }

  /** For how long the next restart has to wait. */
  holdMs(nowMs: number): number {
    return Math.max(0, this.#wholeAtMs - (hourMs - givenBackEveryMs) - nowMs);
  }
}
