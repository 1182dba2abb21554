/**
 * Reads a segment from its first byte, piece by piece, and tells how far it is whole. Pure. What a power cut leaves is the
 * beginning of the file as it was written, then anything: half a tag, zeros, old blocks of the disk.
 */
import { isEndOfSequence, parseTag } from '#device/media-host/flv.ts';

export type SegmentFacts = {
  /** Up to the last whole tag; 0 where not even the file's header is whole. */
  readonly wholeBytes: number;
  readonly frames: number;
  readonly sounds: number;
  /** From the first picture or sound to the last. */
  readonly durationMs: number;
};

const fileHeaderBytes = 13;
const tagHeaderBytes = 11;
const tagTrailerBytes = 4;

export class FlvScanner {
  #rest: Buffer = Buffer.alloc(0);
  #isBroken = false;
  #wholeBytes = 0;
  #frames = 0;
  #sounds = 0;
  #lastMs = 0;

  feed(chunk: Buffer): void {
    if (this.#isBroken) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (!this.#isBroken && this.#step());
  }

  /** Nothing behind it can be trusted: there is no need to read on. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  facts(): SegmentFacts {
    const hasPicture = this.#frames > 0;
    return {
      wholeBytes: hasPicture ? this.#wholeBytes : 0,
      frames: this.#frames,
      sounds: this.#sounds,
      durationMs: this.#lastMs,
    };
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    if (this.#wholeBytes === 0) {
      if (this.#rest.length < fileHeaderBytes) return false;
      if (this.#rest.toString('latin1', 0, 3) !== 'FLV') return this.#break();
      return this.#pass(fileHeaderBytes);
    }
    if (this.#rest.length < tagHeaderBytes) return false;
    const bodyBytes = this.#rest.readUIntBE(1, 3);
    const length = tagHeaderBytes + bodyBytes + tagTrailerBytes;
    if (![8, 9, 18].includes(this.#rest[0] ?? 0) || this.#rest.readUIntBE(8, 3) !== 0) return this.#break();
    if (this.#rest.length < length) return false;
    // The size of the tag stands behind it again: what was half written has not got that.
    if (this.#rest.readUInt32BE(length - tagTrailerBytes) !== length - tagTrailerBytes) return this.#break();
    const tag = parseTag(this.#rest.subarray(0, length));
    if (tag === null || (!tag.isHeader && tag.timestampMs < this.#lastMs)) return this.#break();
    if (!tag.isHeader && !isEndOfSequence(tag)) {
      // A segment begins with a keyframe; anything else is no segment of ours.
      if (tag.kind === 'video' && this.#frames === 0 && !tag.isKeyframe) return this.#break();
      if (tag.kind === 'video') this.#frames += 1;
      else this.#sounds += 1;
      this.#lastMs = tag.timestampMs;
    }
    return this.#pass(length);
  }

  #pass(bytes: number): true {
    this.#rest = this.#rest.subarray(bytes);
    this.#wholeBytes += bytes;
    return true;
  }

  #break(): false {
    this.#isBroken = true;
    this.#rest = Buffer.alloc(0);
    return false;
  }
}

/** A whole segment in memory. */
export function scanSegment(bytes: Buffer): SegmentFacts {
  const scanner = new FlvScanner();
  scanner.feed(bytes);
  return scanner.facts();
}
