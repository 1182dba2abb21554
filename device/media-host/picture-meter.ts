/**
 * What small grey copies of the picture, one a second or one a keyframe, say: how light it is, and since when it stands still. Pure.
 *
 * A camera's picture is never the same twice, because of its sensor's noise; so only pictures that are equal in every point count
 * as still, and a dim room without anybody in it does not.
 */
import type { PictureFigures } from '#protocol/media.ts';

/**
 * Without a new one for so long, nothing is known of the picture that is on air: five seconds, or, where only keyframes can be looked at,
 * two and a half times as long as it was between the last two. They are at most ten seconds apart.
 */
const leastStaleMs = 5000;
const staleAfterIntervals = 2.5;
const longestIntervalMs = 10_000;

export class PictureMeter {
  #former: Uint8Array | null = null;
  #stillSinceMs = 0;
  #latestMs = 0;
  #intervalMs = 0;

  /** The copy is kept until the next one comes. */
  add(grey: Uint8Array, monotonicMs: number): void {
    if (this.#former === null || !isSame(this.#former, grey)) this.#stillSinceMs = monotonicMs;
    if (this.#former !== null) this.#intervalMs = Math.min(longestIntervalMs, monotonicMs - this.#latestMs);
    this.#former = grey;
    this.#latestMs = monotonicMs;
  }

  /** Of the last picture; null without one. */
  sample(monotonicMs: number): PictureFigures | null {
    const grey = this.#former;
    if (grey === null || this.#isStale(monotonicMs)) return null;
    let sum = 0;
    let lightest = 0;
    for (const point of grey) {
      sum += point;
      if (point > lightest) lightest = point;
    }
    return {
      lumaMean: Math.round((sum * 10) / grey.length) / 10,
      lumaMax: lightest,
      stillS: Math.round((this.#latestMs - this.#stillSinceMs) / 1000),
    };
  }

  #isStale(monotonicMs: number): boolean {
    return monotonicMs - this.#latestMs > Math.max(leastStaleMs, staleAfterIntervals * this.#intervalMs);
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((point, index) => point === other[index]);
}
