/**
 * FLV tags as flvmux makes them and RTMP carries them (Adobe Flash Video File Format Specification 10.1, annex E).
 * One buffer is one tag: 11 bytes of header, the body, 4 bytes with the tag's size.
 */

export type Tag = {
  readonly kind: 'audio' | 'video' | 'script';
  /** On whatever time line the tag is on; the bytes hold what was written there last. */
  readonly timestampMs: number;
  readonly isKeyframe: boolean;
  /** A decoder needs it before anything else: the script tag and the sequence headers of AVC and AAC. */
  readonly isHeader: boolean;
  readonly bytes: Buffer;
};

/** On the common time line of all captures. */
export type PlacedTag = Tag & {
  /** When it came there, by the monotonic clock: what its pictures took to be made is no concern of the ways that they go. */
  readonly placedAtMs: number;
};

const headerBytes = 11;
const trailerBytes = 4;
const kinds = new Map<number, Tag['kind']>([
  [8, 'audio'],
  [9, 'video'],
  [18, 'script'],
]);
const codecAvc = 7;
const codecAac = 10;
const avcPackets = { header: 0, end: 2 };

/** Of a file with nothing but pictures: signature, version 1, its own size, and the size of the tag before the first. */
export const videoFileHeader = Buffer.from([0x46, 0x4c, 0x56, 1, 0x01, 0, 0, 0, 9, 0, 0, 0, 0]);

/** Null for what is no tag: the file header (`FLV`), or too few bytes for a tag. */
export function parseTag(bytes: Buffer): Tag | null {
  const kind = kinds.get(bytes[0] ?? 0);
  if (kind === undefined || bytes.length < headerBytes + trailerBytes) return null;
  const timestampMs = readTimestamp(bytes);
  const format = bytes[headerBytes] ?? 0;
  const packet = bytes[headerBytes + 1];
  switch (kind) {
    case 'script':
      return { kind, timestampMs, isKeyframe: false, isHeader: true, bytes };
    case 'audio':
      return { kind, timestampMs, isKeyframe: false, isHeader: format >> 4 === codecAac && packet === 0, bytes };
    case 'video': {
      const isAvc = (format & 0x0f) === codecAvc;
      const isHeader = isAvc && packet === avcPackets.header;
      const isPicture = !isHeader && !(isAvc && packet === avcPackets.end);
      return { kind, timestampMs, isKeyframe: isPicture && format >> 4 === 1, isHeader, bytes };
    }
    default:
      return kind satisfies never;
  }
}

/** Milliseconds, 32 bits: bytes 4 to 6, the upper eight bits in byte 7. */
function readTimestamp(bytes: Buffer): number {
  return (((bytes[7] ?? 0) << 24) | ((bytes[4] ?? 0) << 16) | ((bytes[5] ?? 0) << 8) | (bytes[6] ?? 0)) >>> 0;
}

/** Overwrites the time in place: a tag's bytes are ours alone and are copied when they are handed to GStreamer. */
export function writeTimestamp(bytes: Buffer, timestampMs: number): void {
  bytes[4] = (timestampMs >>> 16) & 0xff;
  bytes[5] = (timestampMs >>> 8) & 0xff;
  bytes[6] = timestampMs & 0xff;
  bytes[7] = (timestampMs >>> 24) & 0xff;
}

/** A capture that ends in order says so with a tag of AVC's without a picture, which calls itself a keyframe. */
export function isEndOfSequence({ kind, bytes }: Tag): boolean {
  return kind === 'video' && ((bytes[headerBytes] ?? 0) & 0x0f) === codecAvc && bytes[headerBytes + 1] === avcPackets.end;
}

export function isVideoHeader(tag: Tag): boolean {
  return tag.isHeader && tag.kind === 'video';
}

/** The body of an AVC sequence header: the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). */
export function decoderConfiguration(tag: Tag): Buffer | null {
  // Frame type and codec, packet type, three bytes of composition time.
  return isVideoHeader(tag) ? tag.bytes.subarray(headerBytes + 5, tag.bytes.length - trailerBytes) : null;
}

/** ISO/IEC 14496-3, table 1.18; the index is in bits 5 to 8 of the AudioSpecificConfig. */
const aacRatesHz = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/** Of an AAC sequence header; null where it names none of the usual rates. */
export function parseAudioRate(tag: Tag): number | null {
  const first = tag.bytes[headerBytes + 2] ?? 0;
  const second = tag.bytes[headerBytes + 3] ?? 0;
  return aacRatesHz[((first & 0x07) << 1) | (second >> 7)] ?? null;
}
