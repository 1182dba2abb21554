/** The keeper over a real directory with real segments. */
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#device/media/clock.ts';
import type { Recording } from '#device/recording/recording-index.ts';
import { RecordingsKeeper, type Writing } from '#device/recording/recordings-keeper.ts';
import { until } from '../../until.ts';
import { type QuietLog, quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { makeSegment } from './made-segment.ts';
import { probeFile } from './probe.ts';
import { madeReadOnly, noSmallDisk, smallDisk } from './small-disk.ts';

const first = '2026-11-21T10-00-00Z';
const second = '2026-11-21T10-10-00Z';
const third = '2026-11-21T10-20-00Z';

type Scene = {
  readonly directory: string;
  readonly events: string[];
  readonly log: QuietLog;
  readonly place: { maximumBytes: number; leftBehindIn: string };
  /** So often it has looked into the directory. */
  looks: number;
  isThere: boolean;
  writing: Writing;
  /** Makes the directory in which recordings were made while the disk was away. */
  readonly leftBehind: () => Promise<string>;
  start: () => RecordingsKeeper;
};

async function scene(disk?: string): Promise<Scene> {
  const directory = disk ?? join(await temporaryDirectory(), 'recordings');
  await mkdir(directory, { recursive: true });
  const made: Scene = {
    directory,
    events: [],
    log: quietLog(),
    place: { maximumBytes: 1e12, leftBehindIn: join(directory, '../meanwhile') },
    looks: 0,
    isThere: true,
    writing: { file: null },
    leftBehind: async () => {
      await mkdir(made.place.leftBehindIn);
      return made.place.leftBehindIn;
    },
    start: () => {
      const keeper = new RecordingsKeeper({
        clock: systemClock,
        log: made.log,
        random: Math.random,
        place: () => {
          made.looks += 1;
          return { directory, ...made.place };
        },
        isThere: async () => made.isThere,
        writing: () => made.writing,
        record: (kind, detail) => made.events.push(`${kind}: ${detail}`),
        lookIntervalMs: 40,
      });
      onTestFinished(() => keeper.stop());
      keeper.start();
      return keeper;
    },
  };
  return made;
}

/** Without the list, which may just be being replaced. */
async function recordingFiles(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => !name.startsWith('index.json')).toSorted();
}

const states = (keeper: RecordingsKeeper) => keeper.recordings().map(({ name, state }) => `${name.slice(11, 16)} ${state}`);

/** Converting is what a busy machine does last. */
const patienceMs = 25_000;

async function untilReady(keeper: RecordingsKeeper, count: number): Promise<readonly Recording[]> {
  return until('all in their last form', patienceMs, () => {
    const recordings = keeper.recordings();
    return recordings.length === count && recordings.every(({ state }) => state === 'ready') && recordings;
  });
}

test('finished segments become MP4, the one that is being written is left alone', async () => {
  const segment = await makeSegment();
  const made = await scene();
  made.writing = { file: `${third}.flv` };
  for (const name of [first, second, third]) await writeFile(join(made.directory, `${name}.flv`), segment);
  const keeper = made.start();
  await until('two converted', patienceMs, () => states(keeper).filter((state) => state.endsWith('ready')).length === 2);
  expect(states(keeper)).toEqual(['10-00 ready', '10-10 ready', '10-20 recording']);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, `${second}.mp4`, `${third}.flv`]);
  expect(keeper.recordings()[0]).toMatchObject({ number: 1, format: 'mp4', frames: 60, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(keeper.summary()).toMatchObject({ count: 3, waitingCount: 0, oldestAt: '2026-11-21T10:00:00.000Z' });
});

test('what was recorded while the disk was away comes to it, and is converted there', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  const segment = await makeSegment();
  await writeFile(join(made.directory, `${first}.flv`), segment);
  await writeFile(join(meanwhile, `${second}.flv`), segment);
  await writeFile(join(meanwhile, `${third}.flv`), segment);
  made.writing = { file: `${third}.flv` };
  const keeper = made.start();
  const [, brought] = await untilReady(keeper, 2);
  expect(brought).toMatchObject({ name: second, format: 'mp4', frames: 60 });
  expect(await readdir(meanwhile)).toEqual([`${third}.flv`]);
  expect(made.events).toEqual([`recording-brought: ${second}: from the device to the disk that was away`]);
});

test('a new disk without the directory gets it for what was recorded meanwhile, and for nothing else', async () => {
  const disk = join(await temporaryDirectory(), 'mounted');
  const made = await scene(join(disk, 'recordings'));
  made.place.leftBehindIn = join(disk, '../meanwhile');
  await mkdir(made.place.leftBehindIn);
  await rm(disk, { recursive: true });
  const keeper = made.start();
  const manyLooks = async () => {
    const before = made.looks;
    await until('many looks', patienceMs, () => made.looks >= before + 20);
  };
  await writeFile(join(made.place.leftBehindIn, `${first}.flv`), await makeSegment());
  made.writing = { file: `${first}.flv` };
  await manyLooks();
  await mkdir(disk);
  await manyLooks();
  expect(await readdir(disk)).toEqual([]);
  made.writing = { file: null };
  made.isThere = false;
  await manyLooks();
  expect(await readdir(disk)).toEqual([]);
  await rm(disk, { recursive: true });
  made.isThere = true;
  await manyLooks();
  await mkdir(disk);
  await untilReady(keeper, 1);
  expect((await stat(made.directory)).mode & 0o777).toBe(0o700);
  expect(await readdir(made.place.leftBehindIn)).toEqual([]);
  expect(made.log.lines).toEqual([]);
});

test.each<[string, (directory: string) => string | Promise<string>]>([
  ['the same path', (directory) => directory],
  ['written otherwise', (directory) => `${directory}/`],
  ['a link to it', (directory) => symlink(directory, `${directory}-link`).then(() => `${directory}-link`)],
])('a directory that is itself the one where recordings went meanwhile keeps what is in it: %s', async (_name, pathOf) => {
  const made = await scene();
  made.place.leftBehindIn = await pathOf(made.directory);
  for (const name of [first, second]) await writeFile(join(made.directory, `${name}.flv`), await makeSegment());
  const keeper = made.start();
  await untilReady(keeper, 2);
  const before = made.looks;
  await until('many more looks', patienceMs, () => made.looks >= before + 50);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, `${second}.mp4`]);
  expect(made.events).toEqual([]);
});

test('what comes from elsewhere has its place among the others, and goes with the oldest', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  const segment = await makeSegment();
  await writeFile(join(made.directory, `${second}.flv`), segment);
  await writeFile(join(made.directory, `${third}.flv`), segment);
  const keeper = made.start();
  await untilReady(keeper, 2);
  await writeFile(join(meanwhile, `${first}.flv`), segment);
  const brought = await untilReady(keeper, 3);
  expect(brought.map(({ number, name }) => [number, name])).toEqual([
    [1, first],
    [2, second],
    [3, third],
  ]);
  expect(keeper.summary()).toMatchObject({ oldestAt: '2026-11-21T10:00:00.000Z', newestAt: '2026-11-21T10:20:00.000Z' });
  made.place.maximumBytes = 2.5 * (brought[0]?.bytes ?? 0);
  await until('one deleted', patienceMs, () => keeper.recordings().length === 2);
  expect(keeper.recordings().map(({ name }) => name)).toEqual([second, third]);
});

test('what a power cut left is mended: half a tag goes, a file without a picture goes, the rest is converted', async () => {
  const made = await scene();
  const segment = await makeSegment();
  await writeFile(join(made.directory, `${first}.flv`), segment);
  await truncate(join(made.directory, `${first}.flv`), segment.length - 100);
  await writeFile(join(made.directory, `${second}.flv`), Buffer.concat([segment, Buffer.alloc(4096)]));
  await writeFile(join(made.directory, `${third}.flv`), segment.subarray(0, 100));
  const keeper = made.start();
  const [cut, padded] = await untilReady(keeper, 2);
  expect(cut).toMatchObject({ name: first, frames: 59 });
  expect(padded).toMatchObject({ name: second, frames: 60 });
  expect((await probeFile(join(made.directory, `${first}.mp4`))).videoPackets).toBe(59);
  expect((await probeFile(join(made.directory, `${second}.mp4`))).videoPackets).toBe(60);
  expect(made.events.map((event) => event.split(':')[0]).toSorted()).toEqual(['recording-empty', 'recording-mended', 'recording-mended']);
});

test('one that is damaged in its middle is converted without that; one without its beginning is kept as it is', async () => {
  const made = await scene();
  const segment = await makeSegment({ frames: 120 });
  const middle = Buffer.from(segment);
  middle.fill(0, Math.floor(segment.length * 0.4), Math.floor(segment.length * 0.4) + 2000);
  await writeFile(join(made.directory, `${first}.flv`), middle);
  await writeFile(join(made.directory, `${second}.flv`), Buffer.concat([Buffer.alloc(512), segment.subarray(512)]));
  const keeper = made.start();
  await until(
    'both in their last form',
    patienceMs,
    () => states(keeper).every((state) => /ready|unconvertible/.test(state)) && states(keeper).length === 2,
  );
  const [holed, beheaded] = keeper.recordings();
  expect(holed).toMatchObject({ format: 'mp4', state: 'ready', mendedBytes: expect.any(Number) });
  expect(holed?.frames).toBeGreaterThanOrEqual(90);
  const played = await probeFile(join(made.directory, `${first}.mp4`));
  expect([played.videoPackets, played.complaints]).toEqual([holed?.frames, '']);
  expect(beheaded).toMatchObject({
    format: 'flv',
    state: 'unconvertible',
    problem: expect.stringContaining('its beginning cannot be read'),
  });
  expect(made.events.map((event) => event.split(':')[0]).toSorted()).toEqual(['recording-mended', 'recording-not-converted']);
});

test.each<[string, (path: string) => Promise<void>]>([
  ['is gone', (path) => rm(path)],
  ['is no JSON', (path) => writeFile(path, '{"nextNumber":')],
  ['is another thing', (path) => writeFile(path, '{"recordings":[{"name":"../../etc/passwd"}]}')],
])('a list that %s is drawn up again from the files', async (_name, damage) => {
  const made = await scene();
  const segment = await makeSegment();
  for (const name of [first, second]) await writeFile(join(made.directory, `${name}.flv`), segment);
  const keeper = made.start();
  const before = await untilReady(keeper, 2);
  await keeper.stop();
  await damage(join(made.directory, 'index.json'));
  const next = made.start();
  expect(await untilReady(next, 2)).toEqual(before);
});

test('an interrupted conversion is begun again, and its leftovers go', async () => {
  const made = await scene();
  await writeFile(join(made.directory, `${first}.flv`), await makeSegment({ frames: 3000 }));
  // It takes but a moment: whoever looks now and then may look too late.
  const watching = new AbortController();
  const names = watch(made.directory, { signal: watching.signal });
  const keeper = made.start();
  for await (const { filename } of names) if (filename?.endsWith('.part') === true) break;
  await keeper.stop();
  watching.abort();
  expect(await readdir(made.directory)).toContain(`${first}.flv`);
  await writeFile(join(made.directory, `${first}.mp4.99-1.part`), 'of an agent that was killed');
  await writeFile(join(made.directory, 'holiday.part'), 'of somebody else');
  await untilReady(made.start(), 1);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, 'holiday.part']);
});

test('what cannot be converted stays as it is after three attempts, and is said', async () => {
  const made = await scene();
  const segment = await makeSegment({ hasSound: false });
  // A sequence header that promises a codec that it does not hold: whole tags, and no player takes them.
  const video = segment.indexOf(Buffer.from([0x17, 0, 0, 0, 0]));
  segment.fill(0xff, video + 5, video + 20);
  await writeFile(join(made.directory, `${first}.flv`), segment);
  const keeper = made.start();
  await until('given up', patienceMs, () => keeper.recordings()[0]?.state === 'unconvertible');
  expect(keeper.recordings()[0]).toMatchObject({ attempts: 3, format: 'flv', sha256: expect.any(String), problem: expect.any(String) });
  expect(await readFile(join(made.directory, `${first}.flv`))).toEqual(segment);
  expect(keeper.summary()).toMatchObject({ count: 1, unconvertibleCount: 1 });
  expect(made.events.filter((event) => event.startsWith('recording-not-converted'))).toHaveLength(1);
});

test('one that cannot be read holds up no other, and is said', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  const segment = await makeSegment();
  // As on a bad place of the disk: it can be opened, and reading it gives EIO.
  await symlink('/proc/self/mem', join(made.directory, `${first}.flv`));
  await writeFile(join(made.directory, `${second}.flv`), segment);
  await writeFile(join(meanwhile, `${third}.flv`), segment);
  const keeper = made.start();
  await until('the others in their last form', patienceMs, () => states(keeper).filter((state) => state.endsWith('ready')).length === 2);
  expect(states(keeper)).toEqual(['10-00 unconvertible', '10-10 ready', '10-20 ready']);
  expect(keeper.recordings()[0]).toMatchObject({ attempts: 3, problem: 'it cannot be looked through (EIO)' });
  expect(made.events).toContain(`recording-not-converted: ${first} stays as FLV: it cannot be looked through (EIO)`);
});

test('one that cannot be brought to its disk holds up no other', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  await symlink('/proc/self/mem', join(meanwhile, `${first}.flv`));
  await writeFile(join(meanwhile, `${second}.flv`), await makeSegment());
  const keeper = made.start();
  await untilReady(keeper, 1);
  expect(await readdir(meanwhile)).toEqual([`${first}.flv`]);
  expect(made.events.map((event) => event.split(':')[0])).toEqual(['recording-not-brought', 'recording-brought']);
});

test.skipIf(noSmallDisk !== null)('one that is too large for the room to be converted waits, and holds up no other', async () => {
  const disk = await smallDisk(20);
  const made = await scene(disk.path);
  const large = await makeSegment({ frames: 900 });
  await writeFile(join(disk.path, `${first}.flv`), large);
  await writeFile(join(disk.path, `${second}.flv`), await makeSegment());
  await disk.fill('of somebody else', 20 * 1024 ** 2 - large.length - (3.3e6 + 1.5 * large.length));
  const keeper = made.start();
  await until('the other converted', patienceMs, () => states(keeper).includes('10-10 ready'));
  expect(states(keeper)).toEqual(['10-00 waiting', '10-10 ready']);
  await disk.remove('of somebody else');
  await untilReady(keeper, 2);
});

test.skipIf(noSmallDisk !== null)('one that cannot be deleted on the device is brought once, and pushes out none', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  const segment = await makeSegment();
  await writeFile(join(made.directory, `${first}.flv`), segment);
  await writeFile(join(meanwhile, `${second}.flv`), segment);
  const { release } = await madeReadOnly(meanwhile);
  const refusals = () => made.events.filter((event) => event.startsWith('recording-not-brought'));
  for (const agent of [1, 2, 3]) {
    const keeper = made.start();
    await untilReady(keeper, 2);
    await until('refused', patienceMs, () => refusals().length === agent);
    await keeper.stop();
  }
  expect(refusals()[0]).toBe(`recording-not-brought: ${second} stays on the device: it was brought, and cannot be deleted there (EROFS)`);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, `${second}.mp4`]);
  await release();
  const keeper = made.start();
  await until('deleted on the device', patienceMs, async () => (await readdir(meanwhile)).length === 0);
  expect((await untilReady(keeper, 2)).map(({ name }) => name)).toEqual([first, second]);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, `${second}.mp4`]);
});

test('after a power cut between a copy and the deletion of the original there is one of it, in its place', async () => {
  const made = await scene();
  const meanwhile = await made.leftBehind();
  await writeFile(join(made.directory, `${second}.flv`), await makeSegment());
  const before = made.start();
  await untilReady(before, 1);
  await before.stop();
  // Half a tag at its end: what is mended is no longer the same.
  const segment = (await makeSegment()).subarray(0, -100);
  for (const directory of [meanwhile, made.directory]) await writeFile(join(directory, `${first}.flv`), segment);
  // Nothing is brought while nobody knows what is being written; what is at home is worked on.
  made.writing = null;
  const keeper = made.start();
  await untilReady(keeper, 2);
  made.writing = { file: null };
  await until('deleted on the device', patienceMs, async () => (await readdir(meanwhile)).length === 0);
  expect(keeper.recordings().map(({ name }) => name)).toEqual([first, second]);
  expect(await recordingFiles(made.directory)).toEqual([`${first}.mp4`, `${second}.mp4`]);
});

test.skipIf(noSmallDisk !== null)('on a read-only disk nothing is given up: it is worked on once it can be written', async () => {
  const disk = await smallDisk(20);
  const made = await scene(disk.path);
  await writeFile(join(disk.path, `${first}.flv`), await makeSegment());
  await disk.remount('ro');
  const keeper = made.start();
  await until('many looks', patienceMs, () => made.looks >= 50);
  expect(states(keeper)).toEqual(['10-00 written']);
  expect(made.log.lines).toEqual(['the list of the recordings cannot be written (EROFS)']);
  await disk.remount('rw');
  await untilReady(keeper, 1);
});

test('beyond the quota the oldest goes, never a protected one, never the one that is written', async () => {
  const made = await scene();
  const segment = await makeSegment({ frames: 30 });
  for (const name of [first, second, third]) await writeFile(join(made.directory, `${name}.flv`), segment);
  await writeFile(join(made.directory, `${first}.keep`), '');
  const keeper = made.start();
  const [kept] = await untilReady(keeper, 3);
  expect(kept?.isProtected).toBe(true);
  made.place.maximumBytes = segment.length * 1.5;
  await until('one gone', 5_000, () => keeper.recordings().length === 2);
  expect(keeper.recordings().map(({ name }) => name)).toEqual([first, third]);
  made.writing = { file: `${third}.mp4` };
  expect(await recordingFiles(made.directory)).toEqual([`${first}.keep`, `${first}.mp4`, `${third}.mp4`]);
  expect(made.events.at(-1)).toContain(second);
});

test('a clock that is set back gives an older name; the order stays that in which they were made', async () => {
  const made = await scene();
  const segment = await makeSegment({ frames: 30 });
  await writeFile(join(made.directory, `${second}.flv`), segment);
  const keeper = made.start();
  await untilReady(keeper, 1);
  await writeFile(join(made.directory, `${first}.flv`), segment);
  const recordings = await untilReady(keeper, 2);
  expect(recordings.map(({ number, name }) => [number, name])).toEqual([
    [1, second],
    [2, first],
  ]);
  made.place.maximumBytes = segment.length * 1.5;
  await until('one gone', 5_000, () => keeper.recordings().length === 1);
  expect(keeper.recordings()[0]?.name).toBe(first);
});

test('a file that grows does not have the list written again and again', async () => {
  const made = await scene();
  made.writing = { file: `${first}.flv` };
  const segment = await makeSegment({ frames: 30 });
  await writeFile(join(made.directory, `${first}.flv`), segment.subarray(0, 5000));
  const keeper = made.start();
  const path = join(made.directory, 'index.json');
  const { mtimeMs } = await until('a list', 5_000, () => stat(path));
  await writeFile(join(made.directory, `${first}.flv`), segment);
  await until('its growth', 5_000, () => keeper.summary()?.totalBytes === segment.length);
  expect((await stat(path)).mtimeMs).toBe(mtimeMs);
});

test('a directory that goes and comes back, as a disk that is pulled out', async () => {
  const made = await scene();
  await writeFile(join(made.directory, `${first}.flv`), await makeSegment());
  const keeper = made.start();
  await untilReady(keeper, 1);
  await rename(made.directory, `${made.directory}-away`);
  await until('no place', 5_000, () => keeper.summary() === null);
  await rename(`${made.directory}-away`, made.directory);
  await until('the place again', 5_000, () => keeper.summary()?.count === 1);
});

test.runIf(noSmallDisk !== null)(`(left out here: ${noSmallDisk})`, () => undefined);
