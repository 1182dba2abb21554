/**
 * How far sound and picture have moved apart since the capture began. Pure.
 *
 * Timestamps alone do not tell: GStreamer bends them where a sound card's clock is wrong, and leaves out sound or leaves a gap
 * of 40 ms at a time; and the muxer holds the picture back until there is sound. So the samples are counted before they are
 * encoded, at the rate they are said to have, and compared with ticks of the pipeline's clock, by which the pictures are stamped.
 * Where the sound card's clock is the pipeline's (alsasrc, pulsesrc), both are one, and there is nothing to move apart.
 */
import { parseAudioRate, type Tag } from '#device/media-host/flv.ts';

/** Buffers come late, by a hundred milliseconds on a busy machine, and never early: the least late one of ten seconds counts. */
const windowMs = 10_000;
/** Queues and rates find their places first. */
const settleMs = 3_000;
/** No clock is wrong by a hundredth: this is sound that was lost at once, and the timestamps know of it. */
const stepMs = 100;
/** Bound of what a window keeps: 20 of each, and then some. */
const maximumValues = 100;
const tickMs = 500;

export type Drift = {
  /** Positive: there is more sound than time: it falls behind the picture. */
  readonly driftMs: number;
  readonly rateHz: number;
};

export class DriftMeter {
  #rateHz: number | null = null;
  #frames = 0;
  #startMs: number | null = null;
  #windowStartMs = 0;
  #sound: number[] = [];
  #clock: number[] = [];
  #ticks = 0;
  #baselineMs: number | null = null;
  #formerMs = 0;
  #latest: Drift | null = null;

  /** Null in the first seconds, and without sound. */
  get latest(): Drift | null {
    return this.#latest;
  }

  /** The encoder knows the rate. */
  addTag(tag: Tag): void {
    if (tag.kind === 'audio' && tag.isHeader) this.#rateHz = parseAudioRate(tag);
  }

  /** Half a second has passed by the pipeline's clock. */
  addTick(monotonicMs: number): void {
    this.#ticks += 1;
    push(this.#clock, this.#ticks * tickMs - monotonicMs);
  }

  /** True when a new value is there, each ten seconds. */
  addFrames(count: number, monotonicMs: number): boolean {
    this.#frames += count;
    if (this.#rateHz === null) return false;
    this.#startMs ??= monotonicMs;
    if (monotonicMs - this.#startMs < settleMs) {
      this.#empty(monotonicMs);
      return false;
    }
    push(this.#sound, (this.#frames * 1000) / this.#rateHz - monotonicMs);
    return monotonicMs - this.#windowStartMs >= windowMs && this.#closeWindow(monotonicMs, this.#rateHz);
  }

  #closeWindow(monotonicMs: number, rateHz: number): boolean {
    const sound = leastLate(this.#sound);
    const clock = leastLate(this.#clock);
    this.#empty(monotonicMs);
    if (sound === null || clock === null) return false;
    const apartMs = sound - clock;
    this.#baselineMs ??= apartMs;
    if (this.#latest !== null && Math.abs(apartMs - this.#formerMs) > stepMs) this.#baselineMs += apartMs - this.#formerMs;
    this.#formerMs = apartMs;
    this.#latest = { driftMs: apartMs - this.#baselineMs, rateHz };
    return true;
  }

  #empty(monotonicMs: number): void {
    this.#windowStartMs = monotonicMs;
    this.#sound = [];
    this.#clock = [];
  }
}

function push(values: number[], value: number): void {
  if (values.length < maximumValues) values.push(value);
}

function leastLate(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}
