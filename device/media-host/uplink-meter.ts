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
  /** Those of one window: with four looks a second, no more than a handful. */
  #samples: UplinkSample[] = [];

  /** Null until the samples span most of a window. */
  add(sample: UplinkSample): UplinkReading | null {
    const oldest = this.#samples.findLastIndex(({ atMs }) => sample.atMs - atMs >= windowMs);
    this.#samples = [...this.#samples.slice(Math.max(0, oldest)), sample];
    const first = this.#samples[0] ?? sample;
    const spanMs = sample.atMs - first.atMs;
    if (spanMs < windowMs / 2) return null;
    // Bits a millisecond are kbit/s.
    return { lagMs: sample.lagMs, deliveredKbps: ((sample.arrivedBytes - first.arrivedBytes) * 8) / spanMs };
  }

  clear(): void {
    this.#samples = [];
  }
}
