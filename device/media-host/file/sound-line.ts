/**
 * Samples without a gap: what a file has where it has some, silence elsewhere. Pure.
 *
 * INVARIANT: a sample stands at its time or nowhere: what comes too late is left out.
 */

/** Of two channels of 16 bits. */
export const bytesPerFrame = 4;
/** Times are rounded in files: what is so near to the end of what came before follows it. */
const seamS = 0.005;

type Block = { readonly startFrame: number; readonly samples: Buffer };

export class SoundLine {
  readonly #rateHz: number;
  #nextFrame: number;
  #endFrame: number;
  readonly #blocks: Block[] = [];

  constructor(rateHz: number, startNs: number) {
    this.#rateHz = rateHz;
    this.#nextFrame = this.#frameAt(startNs);
    this.#endFrame = this.#nextFrame;
  }

  /** How much there is beyond what was taken. */
  get aheadS(): number {
    return Math.max(0, this.#endFrame - this.#nextFrame) / this.#rateHz;
  }

  get nextNs(): number {
    return (this.#nextFrame * 1e9) / this.#rateHz;
  }

  /** `notBeforeNs`: where the round began: what an encoder puts before its first sample belongs to nobody. */
  add(timeNs: number, samples: Buffer, notBeforeNs: number): void {
    const wanted = this.#frameAt(timeNs);
    const isSeam = Math.abs(wanted - this.#endFrame) <= seamS * this.#rateHz;
    const startFrame = isSeam ? this.#endFrame : wanted;
    const skipped = Math.max(0, this.#frameAt(notBeforeNs) - startFrame, this.#endFrame - startFrame) * bytesPerFrame;
    if (skipped >= samples.length) return;
    const kept = samples.subarray(skipped);
    const block = { startFrame: startFrame + skipped / bytesPerFrame, samples: kept };
    this.#blocks.push(block);
    this.#endFrame = block.startFrame + Math.floor(kept.length / bytesPerFrame);
  }

  /** The next samples, silence where there are none. */
  take(frames: number): Buffer {
    const taken = Buffer.alloc(frames * bytesPerFrame);
    const end = this.#nextFrame + frames;
    for (let block = this.#blocks[0]; block !== undefined && block.startFrame < end; block = this.#blocks[0]) {
      const late = Math.max(0, this.#nextFrame - block.startFrame);
      block.samples.copy(taken, Math.max(0, block.startFrame - this.#nextFrame) * bytesPerFrame, late * bytesPerFrame);
      const blockEnd = block.startFrame + Math.floor(block.samples.length / bytesPerFrame);
      if (blockEnd > end) break;
      this.#blocks.shift();
    }
    this.#nextFrame = end;
    this.#endFrame = Math.max(this.#endFrame, end);
    return taken;
  }

  #frameAt(timeNs: number): number {
    return Math.round((timeNs * this.#rateHz) / 1e9);
  }
}
