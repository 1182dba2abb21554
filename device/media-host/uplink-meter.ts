/** What the way to one target carries, from what has arrived there over the last second. Pure. */

/** One look at a connection that streams. */
export type UplinkSample = {
  readonly atMs: number;
  /** Bytes that the target has acknowledged since the connection began. */
  readonly arrivedBytes: number;
  /** For how long the oldest tag that has not arrived has been ready to go. */
  readonly lagMs: number;
};

export type UplinkReading = {
  readonly lagMs: number;
  /** What arrived in the last second or so. */
  readonly deliveredKbps: number;
};

const windowMs = 1000;

export class UplinkMeter {
  /** Those of one window: with ten looks a second, no more than a dozen. */
  #samples: UplinkSample[] = [];

  /** Null until the samples span most of a window. */
  add(sample: UplinkSample): UplinkReading | null {
    const oldest = this.#samples.findLastIndex(({ atMs }) => sample.atMs - atMs >= windowMs);
    this.#samples = [...this.#samples.slice(Math.max(0, oldest)), sample];
    const deliveredKbps = this.deliveredKbps(windowMs);
    return deliveredKbps === null ? null : { lagMs: sample.lagMs, deliveredKbps };
  }

  /** What arrived in the last so many milliseconds, a second at most; null until the samples span most of them. */
  deliveredKbps(overMs: number): number | null {
    const boundMs = Math.min(overMs, windowMs);
    const last = this.#samples.at(-1);
    const first = this.#samples.findLast(({ atMs }) => last !== undefined && last.atMs - atMs >= boundMs) ?? this.#samples[0];
    if (last === undefined || first === undefined || last === first || last.atMs - first.atMs < boundMs / 2) return null;
    // Bits a millisecond are kbit/s.
    return ((last.arrivedBytes - first.arrivedBytes) * 8) / (last.atMs - first.atMs);
  }

  clear(): void {
    this.#samples = [];
  }
}
