/**
 * The next whole picture on air, for whoever asks: a keyframe with what a decoder needs before it, as an FLV file. It is what
 * the targets get, be it the camera or the card; nothing is decoded or encoded here.
 */
import type { Clock } from '#device/media/clock.ts';
import { isVideoHeader, type Tag, videoFileHeader } from '#device/media-host/flv.ts';

/** Keyframes are at most ten seconds apart (AV_KEYFRAME_INTERVAL). */
const boundMs = 12_000;
/** What the agent's socket takes as one line, in base64. A keyframe of 1080p at 20 Mbit/s has less than a fifth of it. */
const maximumBytes = 2_500_000;

export type NextPictureOutcome =
  | { readonly kind: 'picture'; readonly flv: Buffer }
  | { readonly kind: 'problem'; readonly problem: string };

export class NextPicture {
  readonly #clock: Clock;
  readonly #waiting = new Set<(outcome: NextPictureOutcome) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(): Promise<NextPictureOutcome> {
    return new Promise((resolve) => {
      const settle = (outcome: NextPictureOutcome): void => {
        this.#waiting.delete(settle);
        cancel();
        resolve(outcome);
      };
      const cancel = this.#clock.schedule(
        () => settle({ kind: 'problem', problem: `no whole picture came within ${boundMs / 1000} s: nothing is captured` }),
        boundMs,
      );
      this.#waiting.add(settle);
    });
  }

  /** Each tag, and the headers under which it is on air. */
  onTag(tag: Tag, headers: () => readonly Tag[]): void {
    if (this.#waiting.size === 0 || tag.kind !== 'video' || !tag.isKeyframe) return;
    const header = headers().find(isVideoHeader);
    if (header === undefined) return;
    const flv = Buffer.concat([videoFileHeader, header.bytes, tag.bytes]);
    const outcome: NextPictureOutcome =
      flv.length > maximumBytes
        ? { kind: 'problem', problem: `expected a picture of at most ${maximumBytes} bytes, got ${flv.length}` }
        : { kind: 'picture', flv };
    for (const settle of [...this.#waiting]) settle(outcome);
  }
}
