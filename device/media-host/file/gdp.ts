/**
 * GStreamer's data protocol, version 1.0, as gdppay writes and gdpdepay reads it: buffers with their times, which the binding
 * keeps to itself. Pure.
 *
 * A packet is a header of 62 bytes and a payload: 2 flags (bit 0: check sum of the header), 4 type, 6 length of the payload,
 * 10 time, 18 duration, 26 and 34 offsets, 42 flags of the buffer, 44 decoding time (gst/gdp/dataprotocol.c).
 */

export const headerBytes = 62;
const typeBuffer = 1;
const typeCaps = 2;
const typeEvent = 64;
/** GstEventType, gstevent.h. */
const typeStreamStart = typeEvent + 10254;
const typeSegment = typeEvent + 17934;
const typeTag = typeEvent + 20510;
const noTime = 0xffff_ffff_ffff_ffffn;
/** GST_BUFFER_FLAG_DELTA_UNIT: it needs the pictures before it. */
const deltaUnit = 1 << 13;
/** Of a payload: 8K video at any quality that somebody keeps stays below. */
export const maximumPayloadBytes = 32 * 1024 * 1024;

export type Packet =
  | {
      readonly kind: 'buffer';
      readonly bytes: Buffer;
      /** Null: it has none. All in nanoseconds of the file's own time. */
      readonly timeNs: number | null;
      readonly durationNs: number | null;
      readonly decodingTimeNs: number | null;
      readonly isKeyframe: boolean;
    }
  | { readonly kind: 'caps'; readonly bytes: Buffer; readonly text: string; readonly mediaType: string }
  /** What takes the file's time to the time since the beginning: less `startNs`, plus `baseNs`. */
  | { readonly kind: 'segment'; readonly startNs: number; readonly baseNs: number }
  /** How the picture is to be turned, among others. */
  | { readonly kind: 'tag'; readonly bytes: Buffer }
  | { readonly kind: 'other' };

export type Cut =
  | { readonly kind: 'packets'; readonly packets: readonly Packet[]; readonly rest: Buffer }
  | { readonly kind: 'broken'; readonly reason: string };

/** The whole packets at the beginning of what has come. */
export function cutPackets(received: Buffer): Cut {
  const packets: Packet[] = [];
  let at = 0;
  while (received.length - at >= headerBytes) {
    const length = received.readUInt32BE(at + 6);
    if (length > maximumPayloadBytes)
      return { kind: 'broken', reason: `expected at most ${maximumPayloadBytes} bytes in one piece, got ${length}` };
    if (received.length - at < headerBytes + length) break;
    packets.push(readPacket(received.subarray(at, at + headerBytes + length)));
    at += headerBytes + length;
  }
  return { kind: 'packets', packets, rest: received.subarray(at) };
}

function readPacket(bytes: Buffer): Packet {
  const type = bytes.readUInt16BE(4);
  if (type === typeBuffer) {
    return {
      kind: 'buffer',
      bytes,
      timeNs: timeAt(bytes, 10),
      durationNs: timeAt(bytes, 18),
      decodingTimeNs: timeAt(bytes, 44),
      isKeyframe: (bytes.readUInt16BE(42) & deltaUnit) === 0,
    };
  }
  if (type === typeTag) return { kind: 'tag', bytes };
  if (type !== typeCaps && type !== typeSegment) return { kind: 'other' };
  const text = bytes.toString('latin1', headerBytes).replaceAll('\0', '');
  if (type === typeCaps) return { kind: 'caps', bytes, text, mediaType: /^[^,;]*/.exec(text)?.[0].trim() ?? '' };
  const figure = (name: string) => Number(new RegExp(`[ ,]${name}=\\(guint64\\)(\\d+)`).exec(text)?.[1] ?? 0);
  return { kind: 'segment', startNs: figure('start'), baseNs: figure('base') };
}

function timeAt(bytes: Buffer, offset: number): number | null {
  const value = bytes.readBigUInt64BE(offset);
  return value === noTime ? null : Number(value);
}

/** The same buffer at another time; without a check sum. */
export function retimed(bytes: Buffer, timeNs: number, decodingTimeNs: number | null): Buffer {
  const moved = Buffer.from(bytes);
  moved[2] = 0;
  moved.writeBigUInt64BE(BigInt(Math.round(Math.max(0, timeNs))), 10);
  moved.writeBigUInt64BE(decodingTimeNs === null ? noTime : BigInt(Math.round(Math.max(0, decodingTimeNs))), 44);
  return moved;
}

/** What goes before the first caps. */
export function streamStart(): Buffer {
  return event(
    typeStreamStart,
    'GstEventStreamStart, stream-id=(string)file, flags=(GstStreamFlags)GST_STREAM_FLAG_NONE, group-id=(uint)1;',
  );
}

/** Times count from zero: what goes between the caps and the first buffer. */
export function plainSegment(): Buffer {
  return event(
    typeSegment,
    'GstEventSegment, segment=(GstSegment)"segment, flags=(GstSegmentFlags)GST_SEGMENT_FLAG_NONE, rate=(double)1, applied-rate=(double)1, format=(GstFormat)time, base=(guint64)0, offset=(guint64)0, start=(guint64)0, stop=(guint64)18446744073709551615, time=(guint64)0, position=(guint64)0, duration=(guint64)18446744073709551615;";',
  );
}

function event(type: number, text: string): Buffer {
  const payload = Buffer.from(`${text}\0`, 'latin1');
  const header = Buffer.alloc(headerBytes);
  header[0] = 1;
  header.writeUInt16BE(type, 4);
  header.writeUInt32BE(payload.length, 6);
  header.writeBigUInt64BE(noTime, 10);
  return Buffer.concat([header, payload]);
}
