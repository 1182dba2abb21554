/** AAC of the tag bus as ADTS frames, each of which says itself what a decoder must know (ISO/IEC 13818-7, 6.2; 14496-3, 1.6.2.1). Pure. */
import type { Tag } from '#device/media-host/flv.ts';

/** Header of the tag, then a byte for the codec and one for the kind of packet. */
const bodyOffset = 13;
const trailerBytes = 4;
const headerBytes = 7;
/** The rate stands outside the table, which no encoder here does. */
const otherRate = 15;

export type AacFormat = { readonly objectType: number; readonly rateIndex: number; readonly channels: number };

/** Of a sequence header; null where ADTS cannot carry it. */
export function aacFormat(header: Tag): AacFormat | null {
  const [first = 0, second = 0] = header.bytes.subarray(bodyOffset, header.bytes.length - trailerBytes);
  const format = { objectType: first >> 3, rateIndex: ((first & 7) << 1) | (second >> 7), channels: (second >> 3) & 15 };
  const isCarried = format.objectType >= 1 && format.objectType <= 4 && format.rateIndex !== otherRate && format.channels > 0;
  return isCarried ? format : null;
}

export function adtsFrame({ objectType, rateIndex, channels }: AacFormat, sound: Tag): Buffer {
  const payload = sound.bytes.subarray(bodyOffset, sound.bytes.length - trailerBytes);
  const length = headerBytes + payload.length;
  const header = Buffer.from([
    0xff,
    // MPEG-4, no checksum.
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
  return Buffer.concat([header, payload]);
}
