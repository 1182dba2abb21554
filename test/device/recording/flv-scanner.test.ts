import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FlvScanner, type SegmentFacts, scanSegment } from '#device/recording/flv-scanner.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { makeSegment } from './made-segment.ts';
import { probeFile } from './probe.ts';

test('a whole segment, whatever the pieces it is read in', async () => {
  const segment = await makeSegment({ frames: 60 });
  const facts = scanSegment(segment);
  expect(facts).toMatchObject({ wholeBytes: segment.length, frames: 60, sounds: 31 });
  expect(facts.durationMs).toBeGreaterThan(1900);
  for (const size of [1, 7, 1000]) {
    const scanner = new FlvScanner();
    for (let offset = 0; offset < segment.length; offset += size) scanner.feed(segment.subarray(offset, offset + size));
    expect(scanner.facts()).toEqual(facts);
  }
});

test('cut at every single byte, what is whole plays, or there is said to be nothing in it', { timeout: 120_000 }, async () => {
  const segment = await makeSegment({ frames: 12 });
  const whole = scanSegment(segment);
  const playable = new Map<number, SegmentFacts>();
  let before = 0;
  for (let bytes = 0; bytes <= segment.length; bytes += 1) {
    const facts = scanSegment(segment.subarray(0, bytes));
    expect(facts.wholeBytes).toBeLessThanOrEqual(bytes);
    // The next byte never takes away what was there, and no more than the tag that is not whole is lost.
    expect(facts.wholeBytes).toBeGreaterThanOrEqual(before);
    if (facts.wholeBytes > 0) playable.set(facts.wholeBytes, facts);
    else expect(facts.frames).toBe(0);
    before = facts.wholeBytes;
  }
  expect(before).toBe(segment.length);
  // The last tag says that there is no more.
  expect(playable.size).toBe(whole.frames + whole.sounds + 1);

  const directory = await temporaryDirectory();
  await mkdir(directory, { recursive: true });
  for (const [bytes, facts] of playable) {
    const path = join(directory, 'cut.flv');
    await writeFile(path, segment.subarray(0, bytes));
    const probed = await probeFile(path);
    expect([bytes, probed.videoPackets, probed.audioPackets, probed.complaints]).toEqual([bytes, facts.frames, facts.sounds, '']);
  }
});

test.each<[string, (segment: Buffer) => Buffer]>([
  ['zeros, as a file system leaves them', (segment) => Buffer.concat([segment, Buffer.alloc(5000)])],
  ['an old block of the disk', (segment) => Buffer.concat([segment, Buffer.from('root:x:0:0'.repeat(500))])],
  ['half a tag and zeros', (segment) => Buffer.concat([segment, segment.subarray(13, 60), Buffer.alloc(5000)])],
  ['a tag whose time goes back', (segment) => Buffer.concat([segment, lastTag(segment, 0)])],
])('%s behind a segment are cut off', async (_name, damage) => {
  const segment = await makeSegment({ frames: 10 });
  expect(scanSegment(damage(segment)).wholeBytes).toBe(segment.length);
});

test.each<[string, Buffer]>([
  ['an empty file', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(100_000)],
  ['something else', Buffer.from('RIFF....AVI '.repeat(100))],
  ['a header alone', Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0])],
])('%s has nothing in it', (_name, bytes) => {
  expect(scanSegment(bytes)).toMatchObject({ wholeBytes: 0, frames: 0 });
});

/** A copy of the last picture or sound, at another time. */
function lastTag(segment: Buffer, timestampMs: number): Buffer {
  const length = segment.readUInt32BE(segment.length - 4) + 4;
  const tag = Buffer.from(segment.subarray(segment.length - length));
  tag.writeUIntBE(timestampMs, 4, 3);
  return tag;
}
