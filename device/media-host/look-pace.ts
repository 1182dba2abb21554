/**
 * How often a connection is looked at: as often as a fiftieth of a processor core allows. What is handed over between two looks
 * cannot be called back when the way becomes narrow in that time. Pure.
 *
 * A look takes 0.1 ms on a Pi and 6 ms on a machine with 24 GB of memory (kernel-sockets.ts).
 */
const looksShare = 0.02;
const shortestMs = 100;
const longestMs = 300;
/** One that does not keep up, as often as the bitrate has to follow it. */
const longestBehindMs = 200;
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
    const wantedMs = (this.#costMs ?? Number.POSITIVE_INFINITY) / looksShare;
    return Math.min(isBehind ? longestBehindMs : longestMs, Math.max(shortestMs, wantedMs));
  }
}
