/** Real conversions by the real program. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertSegment, hashFile } from '#device/recording/convert.ts';
import { scanSegment } from '#device/recording/flv-scanner.ts';
import { readMp4Facts } from '#device/recording/mp4-facts.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { makeSegment, type SegmentShape } from './made-segment.ts';
import { probeFile } from './probe.ts';

const name = '2026-11-21T10-00-00Z';

async function place(shape: SegmentShape = {}) {
  // A directory whose name a shell or a pipeline would trip over.
  const directory = join(await temporaryDirectory(), 'the "room" ! \\ $HOME');
  await mkdir(directory);
  const bytes = await makeSegment(shape);
  await writeFile(join(directory, `${name}.flv`), bytes);
  return { directory, segment: { name, ...scanSegment(bytes) } };
}

const signal = new AbortController().signal;

test.each<[string, SegmentShape]>([
  ['with sound', { frames: 90 }],
  ['without sound', { frames: 90, hasSound: false }],
  ['of a single picture', { frames: 1, hasSound: false }],
])('a segment %s becomes MP4 with every picture, tables in front, and the FLV goes', async (_name, shape) => {
  const { directory, segment } = await place(shape);
  const outcome = await convertSegment({ directory, segment, attemptId: '1', signal });
  expect(await readdir(directory)).toEqual([`${name}.mp4`]);
  const path = join(directory, `${name}.mp4`);
  expect(outcome).toMatchObject({ kind: 'converted', bytes: (await stat(path)).size });
  const probed = await probeFile(path);
  expect([probed.videoPackets, probed.audioPackets, probed.complaints]).toEqual([segment.frames, segment.sounds, '']);
  expect(await readMp4Facts(path)).toMatchObject({ isFastStart: true, isWhole: true });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await hashFile(directory, `${name}.mp4`, signal)).toBe(
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  );
});

test('a file that holds less than it should is no successor: the FLV stays', async () => {
  const { directory, segment } = await place();
  const outcome = await convertSegment({ directory, segment: { ...segment, frames: segment.frames + 1 }, attemptId: '1', signal });
  expect(outcome).toEqual({ kind: 'failed', reason: 'expected 61 pictures in the converted file, found 60' });
  expect(await readdir(directory)).toEqual([`${name}.flv`]);
});

test('what is no segment is not converted, and the reason is said without a path', async () => {
  const { directory, segment } = await place();
  await writeFile(join(directory, `${name}.flv`), Buffer.alloc(10_000));
  const outcome = await convertSegment({ directory, segment, attemptId: '1', signal });
  expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('gst-launch-1.0') });
  expect(JSON.stringify(outcome)).not.toContain(directory);
  expect(await readdir(directory)).toEqual([`${name}.flv`]);
});

test('a conversion that is stopped leaves the FLV alone, and the next one is whole', async () => {
  const { directory, segment } = await place({ frames: 300 });
  const stopping = new AbortController();
  const stopped = convertSegment({ directory, segment, attemptId: '1', signal: stopping.signal });
  stopping.abort();
  expect(await stopped).toEqual({ kind: 'stopped' });
  expect(await readdir(directory)).toEqual([`${name}.flv`]);
  expect(await convertSegment({ directory, segment, attemptId: '2', signal })).toMatchObject({ kind: 'converted' });
});

test('one that was interrupted between its last two steps is only finished', async () => {
  const { directory, segment } = await place();
  const bytes = await readFile(join(directory, `${name}.flv`));
  await convertSegment({ directory, segment, attemptId: '1', signal });
  const { mtimeMs } = await stat(join(directory, `${name}.mp4`));
  await writeFile(join(directory, `${name}.flv`), bytes);
  expect(await convertSegment({ directory, segment, attemptId: '2', signal })).toMatchObject({ kind: 'converted' });
  expect(await readdir(directory)).toEqual([`${name}.mp4`]);
  expect((await stat(join(directory, `${name}.mp4`))).mtimeMs).toBe(mtimeMs);
});

test('an MP4 of the same name that is not all of it is replaced', async () => {
  const { directory, segment } = await place();
  await writeFile(join(directory, `${name}.mp4`), 'half a file');
  expect(await convertSegment({ directory, segment, attemptId: '1', signal })).toMatchObject({ kind: 'converted' });
  expect((await probeFile(join(directory, `${name}.mp4`))).videoPackets).toBe(60);
});
