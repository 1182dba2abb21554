/**
 * A segment on the disk, made to play: cut back to its last whole tag, because after a power cut anything may stand behind it, and what
 * cannot be read in its middle is put into tags that players skip. Nothing is moved: that takes no room, and at each moment of it the file can
 * be mended anew.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { FlvScanner, fillerBody, type Hole, type SegmentFacts, tagFrameBytes } from '#device/recording/flv-scanner.ts';

const chunkBytes = 256 * 1024;
/** A tag's size has 24 bits. */
const largestFillerBytes = 8 * 1024 * 1024;

/** `wholeBytes` of 0: there is no picture in it that plays. The file is then left as it is. */
export async function mendSegment(path: string): Promise<SegmentFacts> {
  const handle = await open(path, 'r+');
  try {
    const scanner = new FlvScanner();
    let position = 0;
    while (!scanner.isBroken) {
      // A buffer of its own each time: the scanner keeps the part of a tag that is not whole yet.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      scanner.feed(buffer.subarray(0, bytesRead));
    }
    scanner.end();
    const facts = scanner.facts();
    const { size } = await handle.stat();
    const isLong = facts.wholeBytes > 0 && facts.wholeBytes < size;
    if (isLong) await handle.truncate(facts.wholeBytes);
    const holes = facts.wholeBytes > 0 ? facts.holes : [];
    for (const hole of holes) await fill(handle, hole);
    if (isLong || holes.length > 0) await handle.sync();
    return facts;
  } finally {
    await handle.close();
  }
}

/** The last one first: until the first is there the hole is a hole. */
async function fill(handle: FileHandle, hole: Hole): Promise<void> {
  for (const { position, bytes } of fillersOf(hole).toReversed()) await handle.write(bytes, 0, bytes.length, position);
}

export type FillerPart = { readonly position: number; readonly bytes: Buffer };

/** Beginnings and ends of script tags that fill a hole; what is between the two stays what it was. */
export function fillersOf({ fromByte, toByte }: Hole): readonly FillerPart[] {
  const count = Math.ceil((toByte - fromByte) / largestFillerBytes);
  const share = Math.floor((toByte - fromByte) / count);
  return Array.from({ length: count }, (_, index) => {
    const from = fromByte + index * share;
    return fillerOf(from, index === count - 1 ? toByte - from : share);
  }).flat();
}

/** The type, three bytes of length, time 0 and stream 0: with another time FFmpeg makes a stream of its own of it. */
function fillerOf(position: number, length: number): readonly FillerPart[] {
  const begin = Buffer.concat([Buffer.alloc(tagFrameBytes - 4), fillerBody]);
  begin[0] = 18;
  begin.writeUIntBE(length - tagFrameBytes, 1, 3);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(length - 4);
  return [
    { position, bytes: begin },
    { position: position + length - 4, bytes: end },
  ];
}
