/** A segment on the disk, cut back to its last whole tag: after a power cut anything may stand behind it. */
import { open } from 'node:fs/promises';
import { FlvScanner, type SegmentFacts } from '#device/recording/flv-scanner.ts';

const chunkBytes = 256 * 1024;

/** `wholeBytes` of 0: there is no picture in it. The file is then left as it is. */
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
    const facts = scanner.facts();
    const { size } = await handle.stat();
    if (facts.wholeBytes > 0 && facts.wholeBytes < size) {
      await handle.truncate(facts.wholeBytes);
      await handle.sync();
    }
    return facts;
  } finally {
    await handle.close();
  }
}
