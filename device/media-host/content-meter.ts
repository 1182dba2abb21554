/** What is in the sound and the picture of one capture, and whether the two keep together. Pure. */
import { DriftMeter } from '#device/media-host/drift-meter.ts';
import { DriftServo } from '#device/media-host/drift-servo.ts';
import type { Tag } from '#device/media-host/flv.ts';
import { PictureMeter } from '#device/media-host/picture-meter.ts';
import { SoundMeter } from '#device/media-host/sound-meter.ts';
import type { MediaFigures } from '#protocol/media.ts';

/** 16 bits, two channels. */
const bytesPerFrame = 4;

export class ContentMeter {
  #sound = new SoundMeter();
  #picture = new PictureMeter();
  #drift = new DriftMeter();
  #servo = new DriftServo();

  /** What was measured of another capture says nothing of this one. */
  startCapture(): void {
    this.#sound = new SoundMeter();
    this.#picture = new PictureMeter();
    this.#drift = new DriftMeter();
    this.#servo = new DriftServo();
  }

  addTag(tag: Tag): void {
    this.#drift.addTag(tag);
  }

  addTick(monotonicMs: number): void {
    this.#drift.addTick(monotonicMs);
  }

  /** The rate that the source's sound is to be said to have from now on; null: as it is. */
  addSamples(block: Uint8Array, monotonicMs: number): number | null {
    this.#sound.add(block);
    const isNew = this.#drift.addFrames(block.byteLength / bytesPerFrame, monotonicMs);
    const drift = this.#drift.latest;
    return isNew && drift !== null ? this.#servo.steer(drift) : null;
  }

  addLuma(grey: Uint8Array, monotonicMs: number): void {
    this.#picture.add(grey, monotonicMs);
  }

  /** Levels since the last call; the picture and the drift as they were last seen. */
  sample(monotonicMs: number): Pick<MediaFigures, 'sound' | 'picture' | 'audioVideoDriftMs'> {
    const sound = this.#sound.sample();
    const picture = this.#picture.sample(monotonicMs);
    const drift = sound === null ? null : this.#drift.latest;
    return {
      ...(sound === null ? {} : { sound }),
      ...(picture === null ? {} : { picture }),
      ...(drift === null ? {} : { audioVideoDriftMs: Math.round(drift.driftMs) }),
    };
  }
}
