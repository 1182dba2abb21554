/** Segments that break off, and those with damage in their middle: what plays afterwards, by our own scanner for many and by ffmpeg for some. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { isEndOfSequence, parseTag } from '#device/media-host/flv.ts';
import { scanSegment } from '#device/recording/flv-scanner.ts';
import { readRecordings } from '#device/recording/list-recordings.ts';
import { fillersOf, mendSegment } from '#device/recording/mend.ts';
import { recordingName } from '#device/recording/segment-name.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { makeSegment } from './made-segment.ts';
import { probeFile } from './probe.ts';

/** Ten groups of pictures of a second each. */
let segment: Buffer = Buffer.alloc(0);
let groups: readonly { readonly from: number; readonly to: number; readonly frames: number }[] = [];
beforeAll(async () => {
  segment = await makeSegment({ frames: 300 });
  groups = groupsOf(segment);
});

function groupsOf(bytes: Buffer): { from: number; to: number; frames: number }[] {
  const found: { from: number; to: number; frames: number }[] = [];
  for (let offset = 13; offset < bytes.length; ) {
    const length = bytes.readUIntBE(offset + 1, 3) + 15;
    const tag = parseTag(bytes.subarray(offset, offset + length));
    offset += length;
    if (tag?.isKeyframe === true) found.push({ from: offset - length, to: offset, frames: 0 });
    const last = found.at(-1);
    if (last === undefined) continue;
    last.to = offset;
    if (tag?.kind === 'video' && !tag.isHeader && !isEndOfSequence(tag)) last.frames += 1;
  }
  return found;
}

type Damage = { readonly at: number; readonly length: number; readonly with: 'zeros' | 'garbage' | 'itself'; readonly seed: number };

/** Somewhere behind the headers. */
const damages = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1500, max: 20_000 }),
    with: fc.constantFrom('zeros', 'garbage', 'itself'),
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
  }),
  { minLength: 1, maxLength: 3 },
);

function placed({ at, length }: Damage): { from: number; to: number } {
  const first = groups[0]?.from ?? 0;
  const from = Math.floor(first + at * (segment.length - first));
  return { from, to: Math.min(segment.length, from + length) };
}

function damaged(list: readonly Damage[]): Buffer {
  const bytes = Buffer.from(segment);
  for (const damage of list) {
    const { from, to } = placed(damage);
    if (damage.with === 'zeros') bytes.fill(0, from, to);
    else if (damage.with === 'itself') bytes.set(segment.subarray(damage.seed % (segment.length - 20_000)).subarray(0, to - from), from);
    else bytes.set(garbage(damage.seed, to - from), from);
  }
  return bytes;
}

function garbage(seed: number, length: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (state * 48_271) % 0x7fffffff;
    return state & 0xff;
  });
}

async function mended(bytes: Buffer) {
  const path = join(await temporaryDirectory(), 'segment.flv');
  await writeFile(path, bytes);
  const facts = await mendSegment(path);
  return { path, facts, after: await readFile(path) };
}

test('whatever is damaged, what is left is whole, and no group is lost that was not touched', async () => {
  await fc.assert(
    fc.asyncProperty(damages, async (list) => {
      const { facts, after } = await mended(damaged(list));
      const again = scanSegment(after);
      expect(again).toMatchObject({ holes: [], wholeBytes: after.length, frames: facts.frames, sounds: facts.sounds });
      const isForeign = list.some((damage) => damage.with === 'itself');
      const touched = (group: { from: number; to: number }) => list.map(placed).some(({ from, to }) => from < group.to && to > group.from);
      const least = groups.filter((group) => !touched(group)).reduce((sum, { frames }) => sum + frames, 0);
      if (!isForeign) expect(facts.frames).toBeGreaterThanOrEqual(least);
      expect(facts.frames).toBeLessThanOrEqual(300);
    }),
    { numRuns: 60 },
  );
});

/** Where each tag ends, the header's nought included, and how many pictures are whole up to there. */
function endsOf(bytes: Buffer): readonly { readonly at: number; readonly frames: number }[] {
  const ends = [{ at: 13, frames: 0 }];
  for (let offset = 13; offset < bytes.length; ) {
    const length = bytes.readUIntBE(offset + 1, 3) + 15;
    const tag = parseTag(bytes.subarray(offset, offset + length));
    offset += length;
    const isPicture = tag?.kind === 'video' && !tag.isHeader && !isEndOfSequence(tag);
    ends.push({ at: offset, frames: (ends.at(-1)?.frames ?? 0) + (isPicture ? 1 : 0) });
  }
  return ends;
}

test('cut off at any byte: nothing is thrown, and all up to the last whole tag is kept, is listed, and is the same', async () => {
  const ends = endsOf(segment);
  const directory = await temporaryDirectory();
  const name = recordingName(Date.UTC(2026, 10, 21, 10));
  const path = join(directory, `${name}.flv`);
  const inHeaders = fc.integer({ min: 0, max: groups[0]?.to ?? 0 });
  const atTheSeam = fc
    .tuple(fc.nat(ends.length - 1), fc.integer({ min: -12, max: 12 }))
    .map(([index, by]) => Math.min(segment.length, Math.max(0, (ends[index]?.at ?? 0) + by)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(inHeaders, atTheSeam, fc.integer({ min: 0, max: segment.length })), async (cut) => {
      await writeFile(path, segment.subarray(0, cut));
      const facts = await mendSegment(path);
      const kept = ends.findLast(({ at }) => at <= cut);
      const frames = kept?.frames ?? 0;
      // Without a picture there is nothing to keep, and the file stays as it is.
      const bytes = frames === 0 ? cut : (kept?.at ?? 0);
      expect(facts).toMatchObject({ frames, wholeBytes: frames === 0 ? 0 : bytes, holes: [] });
      expect((await readFile(path)).equals(segment.subarray(0, bytes))).toBe(true);
      const listed = await readRecordings(directory);
      expect(listed?.recordings).toMatchObject([{ name, format: 'flv', bytes }]);
    }),
    { numRuns: 200, seed: 20_261_121 },
  );
});

test('what is left plays', async () => {
  const list: Damage[] = [
    { at: 0, length: 600, with: 'zeros', seed: 1 },
    { at: 0.3, length: 16_384, with: 'itself', seed: 4 },
    { at: 0.55, length: 4096, with: 'zeros', seed: 1 },
    { at: 0.75, length: 9000, with: 'garbage', seed: 7 },
  ];
  const { path, facts } = await mended(damaged(list));
  expect(facts.holes.length).toBeGreaterThanOrEqual(4);
  expect(facts.frames).toBeGreaterThan(120);
  const played = await probeFile(path);
  expect([played.videoPackets, played.audioPackets, played.complaints]).toEqual([facts.frames, facts.sounds, '']);
});

test('a size that is damaged, and one that says more than the file has, cost their group and no more', () => {
  for (const size of [300, 5_000_000, 16_777_215]) {
    const bytes = Buffer.from(segment);
    bytes.writeUIntBE(size, (groups[4]?.from ?? 0) + 1, 3);
    expect(scanSegment(bytes)).toMatchObject({ frames: 270, holes: [{ fromByte: groups[4]?.from, toByte: groups[5]?.from }] });
  }
});

test('a time that is damaged costs its group, forwards as well as back', () => {
  for (const timestampMs of [0, 0xffffff]) {
    const bytes = Buffer.from(segment);
    bytes.writeUIntBE(timestampMs, (groups[4]?.from ?? 0) + 4, 3);
    expect(scanSegment(bytes).frames).toBe(270);
  }
});

test('a group that is too late for its hole is another recording’s', () => {
  const far = Buffer.from(segment.subarray(0, groups[1]?.to));
  const late = Buffer.from(segment.subarray(groups[1]?.from, groups[1]?.to));
  late.writeUIntBE(900_000, 4, 3);
  expect(scanSegment(Buffer.concat([far, Buffer.alloc(4096), late]))).toMatchObject({ frames: 60, holes: [], wholeBytes: far.length });
});

test('without its beginning it does not play, and is said to hold something', async () => {
  const bytes = Buffer.from(segment);
  bytes.fill(0, 0, 512);
  const { facts, after } = await mended(bytes);
  expect(facts).toMatchObject({ wholeBytes: 0, frames: 0, isBeheaded: true });
  expect(after.equals(bytes)).toBe(true);
  expect(scanSegment(Buffer.alloc(100_000)).isBeheaded).toBe(false);
});

test('a hole that is larger than a tag can be is filled by several', () => {
  const [toByte, largest] = [40_000_013, 8 * 1024 * 1024];
  const parts = fillersOf({ fromByte: 13, toByte });
  const bytes = Buffer.alloc(toByte);
  for (const part of parts) part.bytes.copy(bytes, part.position);
  let offset = 13;
  while (offset < toByte) {
    const length = bytes.readUIntBE(offset + 1, 3) + 15;
    expect(length).toBeLessThanOrEqual(largest);
    expect(parseTag(bytes.subarray(offset, offset + length))).toMatchObject({ kind: 'script', isHeader: true });
    expect(bytes.readUInt32BE(offset + length - 4)).toBe(length - 4);
    offset += length;
  }
  expect(offset).toBe(toByte);
});
