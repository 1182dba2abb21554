/**
 * Cuts the stream into files that each play alone. Pure: a tag comes in, steps for the disk go out.
 *
 * INVARIANTS
 * - A segment is the file header, the script tag and the sequence headers at time 0, then a keyframe at time 0.
 * - Its tags have one set of sequence headers. Another size or another sound begins another segment; so does a gap (of a
 *   restarted capture, or of groups that the disk did not take) and a wall clock that was set, so that names stay true.
 */
import { type Tag, writeTimestamp } from '#device/media-host/flv.ts';

export type SegmentStep =
  | { readonly kind: 'open'; readonly startedAtMs: number; readonly bytes: Buffer }
  | { readonly kind: 'write'; readonly bytes: Buffer }
  | { readonly kind: 'close' };

type Segment = {
  readonly headers: ReadonlyMap<Tag['kind'], Tag>;
  readonly startedAtMs: number;
  readonly baseMs: number;
  lastMs: number;
  bytes: number;
};

/** Shorter holes stay inside a segment as a picture that stands. */
const longestGapMs = 3_000;
const clockJumpMs = 2_000;
/** FAT32, which sticks and cards come with, takes no file of 4 GiB (2^32 bytes): far enough below for a last group of pictures. */
export const fullSegmentBytes = 3_500_000_000;

export class Segmenter {
  readonly #segmentMs: number;
  readonly #fullBytes: number;
  readonly #headers = new Map<Tag['kind'], Tag>();
  #segment: Segment | null = null;
  #isCutDue = false;
  /** Headers came that the open segment does not have: what follows them is for the next. */
  #isStale = false;

  constructor(segmentMs: number, fullBytes = fullSegmentBytes) {
    this.#segmentMs = segmentMs;
    this.#fullBytes = fullBytes;
  }

  /** `wallMs`: when the tag was new, by the wall clock. */
  next(tag: Tag, wallMs: number): readonly SegmentStep[] {
    if (tag.isHeader) return this.#onHeader(tag);
    const steps: SegmentStep[] = [];
    const segment = this.#segment;
    if (segment !== null && (this.#isStale || this.#hasBroken(segment, tag, wallMs))) this.#isCutDue = true;
    if (tag.isKeyframe && (segment === null || this.#isCutDue || this.#isFull(segment, tag))) {
      if (segment !== null) steps.push({ kind: 'close' });
      steps.push(this.#open(tag, wallMs));
    }
    const current = this.#segment;
    if (current === null || this.#isStale) return steps;
    current.lastMs = tag.timestampMs;
    return [...steps, write(current, tag)];
  }

  /** The next keyframe begins a segment, whatever there was: the file is gone, or is to be closed by whoever calls. */
  forget(): void {
    this.#segment = null;
    this.#isCutDue = false;
    this.#isStale = false;
  }

  #onHeader(tag: Tag): readonly SegmentStep[] {
    this.#headers.set(tag.kind, tag);
    const segment = this.#segment;
    if (segment === null || tag.kind === 'script') return [];
    const present = segment.headers.get(tag.kind);
    if (present !== undefined && body(present).equals(body(tag))) return [];
    this.#isCutDue = true;
    if (present !== undefined) {
      this.#isStale = true;
      return [];
    }
    // Sound that begins later than the picture: it is in the file at once, and announced at its beginning from the next one on.
    return [write(segment, { ...tag, timestampMs: segment.lastMs })];
  }

  #isFull({ baseMs, bytes }: Segment, { timestampMs }: Tag): boolean {
    return timestampMs - baseMs >= this.#segmentMs || bytes >= this.#fullBytes;
  }

  #hasBroken(segment: Segment, tag: Tag, wallMs: number): boolean {
    const expectedWallMs = segment.startedAtMs + (tag.timestampMs - segment.baseMs);
    return tag.timestampMs - segment.lastMs > longestGapMs || Math.abs(wallMs - expectedWallMs) > clockJumpMs;
  }

  #open(tag: Tag, startedAtMs: number): SegmentStep {
    const headers = new Map(this.#headers);
    const order = ['script', 'video', 'audio'] as const;
    const present = order.map((kind) => headers.get(kind)).filter((header) => header !== undefined);
    const bytes = Buffer.concat([fileHeader(headers.has('audio')), ...present.map((header) => placed(header, 0))]);
    this.#segment = { headers, startedAtMs, baseMs: tag.timestampMs, lastMs: tag.timestampMs, bytes: bytes.length };
    this.#isCutDue = false;
    this.#isStale = false;
    return { kind: 'open', startedAtMs, bytes };
  }
}

function write(segment: Segment, tag: Tag): SegmentStep {
  segment.bytes += tag.bytes.length;
  return { kind: 'write', bytes: placed(tag, tag.timestampMs - segment.baseMs) };
}

/** Annex E.2: signature, version 1, what is inside (4 sound, 1 picture), length of this header; then the size of no tag before the first. */
function fileHeader(hasAudio: boolean): Buffer {
  return Buffer.from([0x46, 0x4c, 0x56, 1, hasAudio ? 5 : 1, 0, 0, 0, 9, 0, 0, 0, 0]);
}

/** A copy: the tag's own bytes are shared with every other output. */
function placed(tag: Tag, timestampMs: number): Buffer {
  const bytes = Buffer.from(tag.bytes);
  writeTimestamp(bytes, Math.max(0, timestampMs));
  return bytes;
}

/** Without the tag's own header and trailer, in which the time stands. */
function body({ bytes }: Tag): Buffer {
  return bytes.subarray(11, bytes.length - 4);
}
