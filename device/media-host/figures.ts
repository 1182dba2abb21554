/** Figures of the encoded stream itself: what leaves the encoder, whatever the plan says. */
import { decoderConfiguration, type Tag } from '#device/media-host/flv.ts';
import { type PictureSize, pictureSize } from '#device/media-host/h264-size.ts';
import type { MediaFigures } from '#protocol/media.ts';

export class FigureMeter {
  #framesTotal = 0;
  #size: PictureSize = { width: 0, height: 0 };
  #since: number;
  #frames = 0;
  #videoBytes = 0;
  #audioBytes = 0;

  constructor(nowMs: number) {
    this.#since = nowMs;
  }

  get framesTotal(): number {
    return this.#framesTotal;
  }

  add(tag: Tag): void {
    if (tag.kind === 'audio') this.#audioBytes += tag.bytes.length;
    if (tag.kind !== 'video') return;
    this.#videoBytes += tag.bytes.length;
    const configuration = decoderConfiguration(tag);
    if (configuration !== null) {
      this.#size = pictureSize(configuration) ?? this.#size;
      return;
    }
    this.#frames += 1;
    this.#framesTotal += 1;
  }

  /** Since the last call; nothing is known of an interval without length. */
  sample(nowMs: number): MediaFigures | null {
    const intervalMs = nowMs - this.#since;
    if (intervalMs <= 0) return null;
    const figures = {
      framesPerSecond: Math.round((this.#frames * 10_000) / intervalMs) / 10,
      // Bits a millisecond are kbit/s.
      videoBitrateKbps: Math.round((this.#videoBytes * 8) / intervalMs),
      audioBitrateKbps: Math.round((this.#audioBytes * 8) / intervalMs),
      framesTotal: this.#framesTotal,
      ...this.#size,
    };
    this.#since = nowMs;
    this.#frames = 0;
    this.#videoBytes = 0;
    this.#audioBytes = 0;
    return figures;
  }
}
