/**
 * One time line for all captures of this process, so that a new capture goes on over the connections of the old one.
 *
 * INVARIANTS
 * - No tag is earlier than the one before it, whatever its kind; tags of one kind are at least 1 ms apart. Receivers that
 *   copy (ffmpeg, HLS muxers) refuse anything else.
 * - A new capture starts where the old one ended, plus the time that passed between them.
 */
import type { PlacedTag, Tag } from '#device/media-host/flv.ts';

const timestampRange = 2 ** 32;

export class TimeLine {
  /** Added to a capture's own time; null until the first tag of a new capture is here. */
  #offsetMs: number | null = null;
  #lastRawMs = 0;
  /** Turns of the 32 bits of the capture's own time: 49.7 days each. */
  #turns = 0;
  #lastMs = 0;
  #lastArrivalMs: number | null = null;
  readonly #lastOfKindMs = new Map<Tag['kind'], number>();

  /** The tags that follow have a time of their own, from zero. */
  startCapture(): void {
    this.#offsetMs = null;
    this.#lastRawMs = 0;
    this.#turns = 0;
  }

  /** Headers get the time of what was last: they take none themselves. `nowMs`: of the monotonic clock. */
  place(tag: Tag, nowMs: number): PlacedTag {
    if (tag.isHeader) return { ...tag, timestampMs: this.#lastMs, placedAtMs: nowMs };
    const raw = this.#unwrap(tag.timestampMs);
    this.#offsetMs ??= this.#lastMs + this.#gap(nowMs) - raw;
    const earliest = Math.max(this.#lastMs, (this.#lastOfKindMs.get(tag.kind) ?? -1) + 1);
    const timestampMs = Math.max(earliest, raw + this.#offsetMs);
    this.#lastMs = timestampMs;
    this.#lastArrivalMs = nowMs;
    this.#lastOfKindMs.set(tag.kind, timestampMs);
    return { ...tag, timestampMs, placedAtMs: nowMs };
  }

  #gap(nowMs: number): number {
    return this.#lastArrivalMs === null ? 0 : Math.max(1, Math.round(nowMs - this.#lastArrivalMs));
  }

  #unwrap(timestampMs: number): number {
    const raw = timestampMs + this.#turns * timestampRange;
    if (this.#lastRawMs - raw > timestampRange / 2) {
      this.#turns += 1;
      this.#lastRawMs = raw + timestampRange;
      return this.#lastRawMs;
    }
    this.#lastRawMs = Math.max(this.#lastRawMs, raw);
    return raw;
  }
}
