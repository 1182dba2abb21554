import { mkdir, readdir, readFile, rm, symlink, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bringOneHome, toBring } from '#device/recording/bring-home.ts';
import { protectRecording, releaseRecording } from '#device/recording/recording-directory.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const [first, second] = ['2026-11-21T10-00-00Z', '2026-11-21T10-10-00Z'];
const roomy = { totalBytes: 100e9, freeBytes: 50e9 };
const file = (name: string) => ({ name, format: 'flv', bytes: 1000, isProtected: false }) as const;

test.each([
  ['nothing', [], null, []],
  ['the oldest first', [file(second), file(first)], null, [first, second]],
  ['not what is being written', [file(first), file(second)], `${first}.flv`, [second]],
] as const)('to be brought: %s', (_, files, writing, expected) => {
  expect(toBring(files, writing).map(({ name }) => name)).toEqual(expected);
});

async function twoPlaces(disk = roomy) {
  const folder = await temporaryDirectory();
  const [from, to] = [join(folder, 'meanwhile'), join(folder, 'disk')];
  for (const directory of [from, to]) await mkdir(directory);
  const claimed: string[] = [];
  const home = { directory: to, disk, claim: (name: string) => claimed.push(name) };
  const bring = (writing: string | null = null, signal = new AbortController().signal) => bringOneHome(from, home, writing, signal);
  return { from, to, claimed, home, bring };
}

test('all come, each with its protection, under its own name, and nothing is left behind', async () => {
  const { from, to, claimed, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.mp4`), 'the first');
  await writeFile(join(from, `${first}.keep`), '');
  await writeFile(join(from, `${second}.flv`), 'the second');
  await writeFile(join(from, `${second}.mp4.7-1.part`), 'of a conversion that was killed');
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
  const { from, to, home } = await twoPlaces();
  await rm(to, { recursive: true });
  await symlink(from, to);
  await writeFile(join(from, `${first}.flv`), 'the only one');
  expect(await bringOneHome(from, home, null, new AbortController().signal)).toBeNull();
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

test('one that is too large for the room waits, and holds up no other', async () => {
  const kept = { totalBytes: 100e9, freeBytes: 5e9 + 256e6 + 2000 };
  const { from, bring } = await twoPlaces(kept);
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(2001));
  await writeFile(join(from, `${second}.flv`), Buffer.alloc(2000));
  expect(await bring()).toMatchObject({ name: second });
  expect(await bring()).toBeNull();
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});

test.each([
  ['protected', protectRecording, [`${first}.flv`], [`${first}.flv`, `${first}.keep`]],
  ['released', releaseRecording, [`${first}.flv`, `${first}.keep`], [`${first}.flv`]],
])('what is %s while it is copied is so in its new place', async (_, change, before, after) => {
  const { from, to, bring } = await twoPlaces();
  for (const name of before) await writeFile(join(from, name), '');
  // Larger than what is read at once, so that the copy is there while it is made.
  await writeFile(join(from, `${first}.flv`), Buffer.alloc(50e6));
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

test('where it is stopped or refused, what there was stays', async () => {
  const { from, to, bring } = await twoPlaces();
  await writeFile(join(from, `${first}.flv`), 'made meanwhile');
  expect(await bring(null, AbortSignal.abort())).toBeNull();
  await mkdir(join(to, `${first}.flv.part`));
  await expect(bring()).rejects.toThrow();
  expect(await readdir(from)).toEqual([`${first}.flv`]);
});
