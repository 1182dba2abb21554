import { mkdir, readdir, readFile, rename, rm, symlink, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bringOneHome, type Home } from '#device/recording/bring-home.ts';
import { protectRecording, readRecordingDirectory, releaseRecording } from '#device/recording/recording-directory.ts';
import { compareNames } from '#device/recording/segment-name.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const [first, second] = ['2026-11-21T10-00-00Z', '2026-11-21T10-10-00Z'];
const disk = { totalBytes: 100e9, freeBytes: 50e9 };

async function twoPlaces() {
  const folder = await temporaryDirectory();
  const [from, to] = [join(folder, 'meanwhile'), join(folder, 'disk')];
  for (const directory of [from, to]) await mkdir(directory);
  const claimed: string[] = [];
  const home: Home = { directory: to, disk, recordings: [], isThere: async () => true, claim: (name: string) => claimed.push(name) };
  const bring = async (signal = new AbortController().signal, isThere = home.isThere) => {
    const [file] = (await readRecordingDirectory(from))?.files.toSorted((one, other) => compareNames(one.name, other.name)) ?? [];
    return file === undefined ? null : bringOneHome(from, file, { ...home, isThere }, signal);
  };
  return { from, to, claimed, bring };
}

test('each comes with its protection, under its own name, and nothing is left behind', async () => {
  const { from, to, claimed, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.mp4`), 'the first');
  await writeFile(join(from, `${first}.keep`), '');
  await writeFile(join(from, `${second}.flv`), 'the second');
  await writeFile(join(to, `${first}.mp4.part`), 'of a copy that was killed');
  expect(await bring()).toEqual({ name: first, format: 'mp4', bytes: 9 });
  expect(await bring()).toMatchObject({ name: second });
  expect(await bring()).toBeNull();
  expect(await readdir(from)).toEqual([]);
  expect((await readdir(to)).toSorted()).toEqual([`${first}.keep`, `${first}.mp4`, `${second}.flv`]);
  expect(await readFile(join(to, `${first}.mp4`), 'utf8')).toBe('the first');
  expect(claimed).toEqual([first, second]);
});

test('what lies where it is to be brought is the only one, and stays', async () => {
  const { from, to, bring } = await twoPlaces();
  await rm(to, { recursive: true });
  await symlink(from, to);
  await writeFile(join(from, `${first}.flv`), 'the only one');
  expect(await bring()).toBeNull();
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test('another recording of the same second keeps its name; a copy that is whole already is not made twice', async () => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  await writeFile(join(to, `${first}.flv`), 'made before');
  expect(await bring()).toMatchObject({ name: `${first}-2` });
  expect(await readFile(join(to, `${first}.flv`), 'utf8')).toBe('made before');
  // The power failed between the copy and the deletion.
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  expect(await bring()).toMatchObject({ name: `${first}-2` });
  expect((await readdir(to)).toSorted()).toEqual([`${first}-2.flv`, `${first}.flv`]);
  expect(await readdir(from)).toEqual([]);
});

test.each([
  ['protected', protectRecording, [`${first}.flv`], [`${first}.flv`, `${first}.keep`]],
  ['released', releaseRecording, [`${first}.flv`, `${first}.keep`], [`${first}.flv`]],
])('what is %s while it is copied is so in its new place', async (_, change, before, after) => {
  const { from, to, bring } = await twoPlaces();
  for (const name of before) await writeFile(join(from, name), '');
  // Larger than what is read at once, so that the copy is there while it is made.
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(5e6));
  const changed = new AbortController();
  const watching = (async () => {
    for await (const { filename } of watch(to, { signal: changed.signal })) {
      if (filename === `${first}.flv.part`) break;
    }
    await change(from, first);
  })();
  expect(await bring()).toMatchObject({ name: first });
  changed.abort();
  await watching;
  expect(await readdir(from)).toEqual([]);
  expect((await readdir(to)).toSorted()).toEqual(after);
});

test('to a disk that is away nothing is brought', async () => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  expect(await bring(undefined, async () => false)).toBeNull();
  expect([await readdir(from), await readdir(to)]).toEqual([[`${first}.flv`], []]);
});

test.each([
  ['is away again', false, false],
  ['is back again, and what was copied to its mount point out of sight', true, true],
])('where the disk %s before the original is deleted, that stays', async (_, isThereThen, isOutOfSight) => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  let asked = 0;
  const isThere = async () => {
    asked += 1;
    if (asked === 1) return true;
    expect(await readdir(to)).toEqual([`${first}.flv`]);
    if (isOutOfSight) await rename(to, `${to}-beneath`).then(() => mkdir(to));
    return isThereThen;
  };
  expect(await bring(undefined, isThere)).toBeNull();
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test('one that cannot be read stays, and is said', async () => {
  const { from, bring } = await twoPlaces();
  await symlink('/proc/self/mem', join(from, `${first}.flv`));
  await expect(bring()).rejects.toThrow('it cannot be read');
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test('a recording that gets its name while it is copied is not replaced', async () => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(5e6));
  const appeared = new AbortController();
  const watching = (async () => {
    for await (const { filename } of watch(to, { signal: appeared.signal })) if (filename === `${first}.flv.part`) break;
    await writeFile(join(to, `${first}.flv`), 'of a clock that was set back');
  })();
  await expect(bring()).rejects.toThrow('its name is taken');
  appeared.abort();
  await watching;
  expect(await readFile(join(to, `${first}.flv`), 'utf8')).toBe('of a clock that was set back');
  expect(await bring()).toMatchObject({ name: `${first}-2` });
  expect(await readdir(from)).toEqual([]);
});

test('where it is stopped or refused, what there was stays', async () => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  expect(await bring(AbortSignal.abort())).toBeNull();
  await mkdir(join(to, `${first}.flv.part`));
  await expect(bring()).rejects.toThrow();
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});
