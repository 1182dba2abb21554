/**
 * How often a connection is looked at: as often as a share of a processor core allows. What is handed over between two looks
 * cannot be called back when the way becomes narrow in that time; but then more packets are under way, of which something
 * cheaper tells (packets-under-way.ts). Pure.
 *
 * A look takes 0.1 ms on a Pi and up to 6 ms on a machine with 24 GB of memory (kernel-sockets.ts).
 */
export const shortestLookMs = 100;
const keepsUp = { share: 0.005, longestMs: 500 } as const;
/** As often as the bitrate has to follow it. */
const behind = { share: 0.02, longestMs: 200 } as const;
/** A look that took long was mostly held up by other things. */
const risingShare = 1.1;

export class LookPace {
  #costMs: number | null = null;

  /** A look has taken so long. */
  note(costMs: number): void {
    this.#costMs = this.#costMs === null ? costMs : Math.min(costMs, this.#costMs * risingShare);
  }

  /** From one look to the next. */
  intervalMs(isBehind: boolean): number {
    const { share, longestMs } = isBehind ? behind : keepsUp;
    return Math.min(longestMs, Math.max(shortestLookMs, (this.#costMs ?? Number.POSITIVE_INFINITY) / share));
  }
}
