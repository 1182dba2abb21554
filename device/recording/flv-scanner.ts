/**
 * Reads a segment from its first byte, piece by piece, and tells what of it is whole. Pure. What a power cut or a bad block leaves is
 * the file as it was written, with anything in some places: half a tag, zeros, old blocks of the disk.
 *
 * INVARIANTS
 * - What counts as whole is tags one behind the other, whose times only grow; behind a hole it begins with a keyframe.
 * - A hole can hold a tag of its own, by which players get over it.
 */
import { isEndOfSequence, isVideoHeader, parseTag, type Tag } from '#device/media-host/flv.ts';
import { isPictureWhole } from '#device/recording/picture-body.ts';

/** From the end of a whole tag to the keyframe behind it. */
export type Hole = { readonly fromByte: number; readonly toByte: number };

export type SegmentFacts = {
  /** Up to the last whole tag; 0 where there is nothing that plays. */
  readonly wholeBytes: number;
  readonly frames: number;
  readonly sounds: number;
  /** From the first picture or sound to the last. */
  readonly durationMs: number;
  readonly holes: readonly Hole[];
  /** There are pictures in it, and what a decoder needs before them is gone. */
  readonly isBeheaded: boolean;
};

const fileHeaderBytes = 13;
const tagHeaderBytes = 11;
const tagTrailerBytes = 4;
/** What is around a tag's body. */
export const tagFrameBytes = tagHeaderBytes + tagTrailerBytes;
/** A cue point without anything: what players read of it before they skip the rest (Action Message Format 0, 2.4 and 2.7). */
export const fillerBody = Buffer.from('\x02\x00\x0aonCuePoint\x05', 'latin1');
const smallestHoleBytes = tagFrameBytes + fillerBody.length;
const videoKind = 9;
/** A keyframe of 4K in the best quality has less; what says that it has more is damaged. */
const largestTagBytes = 8 * 1024 * 1024;
/** More of them, and the disk is worth no more trouble. */
const mostHoles = 1000;
/** A segment has no gap of more than 3 s; beyond this the time itself is damaged. */
const longestGapMs = 30_000;
/**
 * A keyframe behind a hole is another recording's, from an old block of the disk, where it is later than the hole is long: at 8 kbit/s, which
 * is less than sound alone has, a byte lasts a millisecond.
 */
const longestByteMs = 1;
const gapBehindHoleMs = 3_000;

export class FlvScanner {
  #rest: Buffer = Buffer.alloc(0);
  /** Of the first byte of the rest. */
  #position = 0;
  #isSeeking = false;
  #hasHeader = false;
  #isBeheaded = false;
  #isBroken = false;
  #isAtEnd = false;
  #wholeBytes = 0;
  #frames = 0;
  #sounds = 0;
  #lastMs = 0;
  readonly #holes: Hole[] = [];

  feed(chunk: Buffer): void {
    if (this.#isBroken) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#goOn();
  }

  /** No more comes: what waits for its other half will not get it. */
  end(): void {
    this.#isAtEnd = true;
    this.#goOn();
  }

  /** Nothing behind it can be of use: there is no need to read on. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  facts(): SegmentFacts {
    return {
      wholeBytes: this.#frames > 0 ? this.#wholeBytes : 0,
      frames: this.#frames,
      sounds: this.#sounds,
      durationMs: this.#lastMs,
      holes: [...this.#holes],
      isBeheaded: this.#isBeheaded,
    };
  }

  #goOn(): void {
    while (!this.#isBroken && (this.#isSeeking ? this.#seek() : this.#step()));
  }

  /** The next tag in its place. False when more bytes are needed. */
  #step(): boolean {
    if (this.#position === 0) {
      if (this.#rest.length < fileHeaderBytes) return this.#isAtEnd && this.#rest.length > 0 && this.#lose();
      if (this.#rest.toString('latin1', 0, 3) !== 'FLV') return this.#lose();
      return this.#pass(fileHeaderBytes);
    }
    const found = this.#tagAt(0);
    if (found === 'more') return false;
    if (found === null || !this.#isNext(found)) return this.#lose();
    if (isVideoHeader(found)) this.#hasHeader = true;
    if (!found.isHeader && !isEndOfSequence(found)) {
      if (found.kind === 'video') this.#frames += 1;
      else this.#sounds += 1;
      this.#lastMs = found.timestampMs;
    }
    return this.#pass(found.bytes.length);
  }

  #isNext(tag: Tag): boolean {
    if (tag.isHeader) return true;
    // A segment begins with a keyframe; anything else is no segment of ours.
    if (tag.kind === 'video' && this.#frames === 0 && !tag.isKeyframe && !isEndOfSequence(tag)) return false;
    const gapMs = tag.timestampMs - this.#lastMs;
    return gapMs >= 0 && gapMs <= longestGapMs && (tag.kind !== 'video' || isPictureWhole(tag.bytes));
  }

  /** The keyframe from which on it is whole again. False when more bytes are needed. */
  #seek(): boolean {
    const at = this.#rest.indexOf(videoKind);
    const found = at === -1 ? null : this.#tagAt(at);
    if (at === -1 || found === null) return this.#skip(at === -1 ? this.#rest.length : at + 1);
    if (found === 'more') {
      this.#skip(at);
      return false;
    }
    const bytes = this.#position + at - this.#wholeBytes;
    const gapMs = found.timestampMs - this.#lastMs;
    const isInTime = gapMs >= 0 && gapMs <= gapBehindHoleMs + bytes * longestByteMs;
    const isStart = found.isKeyframe && !isEndOfSequence(found) && isPictureWhole(found.bytes);
    if (!isStart || !isInTime || bytes < smallestHoleBytes) return this.#skip(at + 1);
    if (!this.#hasHeader) {
      this.#isBeheaded = true;
      return this.#break();
    }
    this.#holes.push({ fromByte: this.#wholeBytes, toByte: this.#position + at });
    this.#skip(at);
    this.#wholeBytes = this.#position;
    this.#isSeeking = false;
    return true;
  }

  /** Null: none. The size of a tag stands behind it again, and what was half written has not got that. */
  #tagAt(offset: number): Tag | 'more' | null {
    const rest = this.#rest;
    const unfinished = this.#isAtEnd ? null : 'more';
    if (rest.length - offset < tagHeaderBytes) return unfinished;
    const length = tagHeaderBytes + rest.readUIntBE(offset + 1, 3) + tagTrailerBytes;
    if (![8, videoKind, 18].includes(rest[offset] ?? 0) || rest.readUIntBE(offset + 8, 3) !== 0) return null;
    if (length > largestTagBytes) return null;
    if (rest.length - offset < length) return unfinished;
    if (rest.readUInt32BE(offset + length - tagTrailerBytes) !== length - tagTrailerBytes) return null;
    return parseTag(rest.subarray(offset, offset + length));
  }

  #pass(bytes: number): true {
    this.#skip(bytes);
    this.#wholeBytes = this.#position;
    return true;
  }

  #skip(bytes: number): boolean {
    this.#rest = this.#rest.subarray(bytes);
    this.#position += bytes;
    return this.#rest.length > 0;
  }

  #lose(): boolean {
    this.#isSeeking = true;
    return this.#holes.length < mostHoles || this.#break();
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
  scanner.end();
  return scanner.facts();
}
