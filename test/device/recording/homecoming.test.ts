/** What is brought from real directories, and when. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, symlink, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findOriginal, Homecoming } from '#device/recording/homecoming.ts';
import { emptyIndex, type Recording, reconcile } from '#device/recording/recording-index.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const [first, second, third] = ['2026-11-21T10-00-00Z', '2026-11-21T10-10-00Z', '2026-11-21T10-20-00Z'];
const roomy = { totalBytes: 100e9, freeBytes: 50e9 };
const tight = { totalBytes: 100e9, freeBytes: 5e9 + 256e6 + 2000 };

function recording(name: string, format: 'flv' | 'mp4', bytes: number): Recording {
  const [found] = reconcile(emptyIndex, [{ name, format, bytes, isProtected: false, isComplete: true }]).recordings;
  if (found === undefined) throw new Error('expected a recording');
  return found;
}

async function scene(disk = roomy) {
  const folder = await temporaryDirectory();
  const [from, directory] = [join(folder, 'meanwhile'), join(folder, 'disk')];
  for (const path of [from, directory]) await mkdir(path);
  const [clock, log, events] = [manualClock(), quietLog(), [] as string[]];
  const stopping = new AbortController();
  const { signal } = stopping;
  const homecoming = new Homecoming({ clock, log, signal, record: (kind, detail) => events.push(`${kind}: ${detail}`) });
  const bring = (writing: string | null = null) =>
    homecoming.bringNext(from, { directory, disk, recordings: [], isThere: async () => true, claim: () => undefined }, writing);
  const names = async (writing: string | null = null) => (await homecoming.toBring(from, writing)).map(({ name }) => name);
  return { from, directory, clock, log, events, homecoming, stopping, bring, names };
}

test('the oldest comes first, and not what is being written; leftovers go', async () => {
  const { from, directory, events, bring } = await scene();
  for (const name of [second, third, first]) await writeFile(join(from, `${name}.flv`), name);
  await writeFile(join(from, `${second}.mp4.7-1.part`), 'of a conversion that was killed');
  for (let round = 0; round < 3; round += 1) await bring(`${third}.flv`);
  expect(events).toEqual([first, second].map((name) => `recording-brought: ${name}: from the device to the disk that was away`));
  expect(await readdir(from)).toEqual([`${third}.flv`]);
  expect((await readdir(directory)).toSorted()).toEqual([`${first}.flv`, `${second}.flv`]);
});

test('one that is too large for the room waits, and holds up no other', async () => {
  const { from, events, bring } = await scene(tight);
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(2001));
  await writeFile(join(from, `${second}.flv`), Buffer.alloc(2000));
  await bring();
  await bring();
  expect(events).toEqual([expect.stringContaining(`recording-brought: ${second}`)]);
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test('one that cannot be read is tried ever more rarely, and holds up no other', async () => {
  const { from, directory, clock, log, events, bring, names } = await scene();
  await symlink('/proc/self/mem', join(from, `${first}.flv`));
  await writeFile(join(from, `${second}.flv`), 'whole');
  for (let round = 0; round < 3; round += 1) await bring();
  expect(await readdir(directory)).toEqual([`${second}.flv`]);
  expect(events).toEqual([
    `recording-not-brought: ${first} stays on the device: it cannot be read`,
    `recording-brought: ${second}: from the device to the disk that was away`,
  ]);
  await clock.advance(59_999);
  expect(await names()).toEqual([]);
  await clock.advance(1);
  expect(await names()).toEqual([first]);
  await bring();
  await clock.advance(60_000);
  expect(await names()).toEqual([]);
  await clock.advance(60_000);
  expect(await names()).toEqual([first]);
  expect(log.lines).toHaveLength(2);
  expect(events).toHaveLength(2);
});

test('one whose copy is at home already needs no room there: it is only deleted on the device', async () => {
  const made = await scene({ ...tight, freeBytes: 0 });
  const { from, directory, events, homecoming } = made;
  await writeFile(join(from, `${first}.flv`), 'brought');
  await writeFile(join(from, `${second}.flv`), 'of the same second');
  await writeFile(join(from, `${third}.flv`), 'not yet');
  await writeFile(join(directory, `${first}-2.mp4`), 'converted');
  await writeFile(join(directory, `${second}.mp4`), 'like two of a second');
  const sha256 = createHash('sha256').update('brought').digest('hex');
  const worked = { ...recording(`${first}-2`, 'mp4', 9), original: { bytes: 7, sha256 } };
  const namesake = { ...recording(second, 'mp4', 20), original: { bytes: 18, sha256: '0'.repeat(64) } };
  const home = {
    directory,
    disk: { ...tight, freeBytes: 0 },
    recordings: [worked, namesake],
    isThere: async () => true,
    claim: () => undefined,
  };
  expect((await homecoming.arrivals(from, home.recordings, null)).map(({ name }) => name)).toEqual([third]);
  for (let round = 0; round < 3; round += 1) await homecoming.bringNext(from, home, null);
  expect((await readdir(from)).toSorted()).toEqual([`${second}.flv`, `${third}.flv`]);
  expect((await readdir(directory)).toSorted()).toEqual([`${first}-2.mp4`, `${second}.mp4`]);
  expect(events).toEqual([
    `recording-brought: ${first}-2: from the device to the disk that was away`,
    `recording-not-brought: ${second} stays on the device: there is no room for it`,
  ]);
});

test.each([
  ['the same', first, 'flv', 'content', true],
  ['under another name, because its own was taken', `${first}-2`, 'flv', 'content', true],
  ['another as large', first, 'flv', 'CONTENT', false],
  ['the same of another second', second, 'flv', 'content', false],
  ['what was converted there', first, 'mp4', 'content', false],
] as const)('a copy of one that lies on the device still: %s', async (_, name, format, content, isCopy) => {
  const { from, directory } = await scene();
  await writeFile(join(from, `${first}.flv`), 'content');
  await writeFile(join(directory, `${name}.${format}`), content);
  const found = await findOriginal(from, directory, recording(name, format, 7), new AbortController().signal);
  expect(found).toEqual(isCopy ? { bytes: 7, sha256: createHash('sha256').update('content').digest('hex') } : null);
});

test('one that is being copied when the agent stops is no trouble', async () => {
  const { from, directory, log, events, stopping, bring } = await scene();
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(5e6));
  const watching = new AbortController();
  const stopped = (async () => {
    for await (const { filename } of watch(directory, { signal: watching.signal })) if (filename?.endsWith('.part') === true) break;
    stopping.abort();
  })();
  await bring();
  watching.abort();
  await stopped;
  expect([events, log.lines]).toEqual([[], []]);
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test('a disk that refuses is said once, and is tried at once when it is another one', async () => {
  const { from, directory, events, homecoming, bring, names } = await scene();
  for (const name of [first, second]) {
    await writeFile(join(from, `${name}.flv`), name);
    await mkdir(join(directory, `${name}.flv.part`));
    await bring();
  }
  expect(await names()).toEqual([]);
  expect(events).toEqual([`recording-not-brought: ${first} stays on the device: ERR_FS_EISDIR`]);
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
  homecoming.beginAnew();
  await bring();
  await bring();
  expect(await readdir(from)).toEqual([]);
});
