import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  foundStandIns,
  makePassingDirectory,
  runtimeDirectories,
  standInDirectories,
  standInPlaces,
} from '#device/state/runtime-directory.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const nowhere = '/nowhere/in/memory';

/** A state directory that cannot be written, and a place for what stands in for it. */
async function places(): Promise<{ readonly directory: string; readonly place: string; readonly standIn: string }> {
  const place = await temporaryDirectory();
  const directory = join(place, 'gone');
  return { directory, place, standIn: standInDirectories(directory, [place])[0] ?? '' };
}

test('a state directory that can be written is used, and left as it was', async () => {
  const directory = await temporaryDirectory();
  expect((await runtimeDirectories(directory))[0]).toBe(directory);
  expect(await readdir(directory)).toEqual([]);
});

test('another place stands in for one that cannot, the same each time, and closed to others', async () => {
  const { directory, place, standIn } = await places();
  expect(await runtimeDirectories(directory, [nowhere, place])).toEqual([standIn, directory]);
  expect(await runtimeDirectories(directory, [nowhere, place])).toEqual([standIn, directory]);
  expect(await foundStandIns(directory, [nowhere, place])).toEqual([standIn]);
  expect((await stat(standIn)).mode & 0o777).toBe(0o700);
});

test('the first place that can be written is used; where a host of before may be is looked at as well', async () => {
  const { directory, place, standIn } = await places();
  await runtimeDirectories(directory, [place]);
  const better = await temporaryDirectory();
  const [betterStandIn] = standInDirectories(directory, [better]);
  expect(await runtimeDirectories(directory, [better, place])).toEqual([betterStandIn, directory, standIn]);
});

test('memory comes before the temporary files, which may lie on the card', () => {
  expect(standInPlaces().indexOf('/dev/shm')).toBeLessThan(standInPlaces().length - 1);
  expect(standInPlaces()[0]).toBe('/run/makespacelive');
});

test('a state directory whose name is too long for a socket has its socket elsewhere', async () => {
  const place = await temporaryDirectory();
  const longest = join(place, 'x'.repeat(91 - place.length - 1));
  const tooLong = `${longest}x`;
  await mkdir(longest);
  await mkdir(tooLong);
  expect(await runtimeDirectories(longest, [place])).toEqual([longest]);
  expect(await runtimeDirectories(tooLong, [place])).toEqual([standInDirectories(tooLong, [place])[0], tooLong]);
});

test('a place that others may look into is not used', async () => {
  const { directory, place, standIn } = await places();
  await mkdir(standIn);
  await chmod(standIn, 0o755);
  expect(await runtimeDirectories(directory, [place])).toEqual([directory]);
  expect(await foundStandIns(directory, [place])).toEqual([]);
});

test('a directory for once is in the first place that takes one', async () => {
  const place = await temporaryDirectory();
  const made = await makePassingDirectory('once', [nowhere, place]);
  onTestFinished(() => rm(made, { recursive: true }));
  expect(made.startsWith(join(place, 'once-'))).toBe(true);
  expect((await stat(made)).mode & 0o777).toBe(0o700);
  await expect(makePassingDirectory('once', [nowhere])).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a user that no list of users knows has a place too, and may have no home', () => {
  const script = `
    const { standInDirectories } = await import('#device/state/runtime-directory.ts');
    const { findHomeDirectory } = await import('#device/state/home-directory.ts');
    if (process.getuid() === 0) process.setuid(54321);
    delete process.env.HOME;
    console.log(JSON.stringify({ uid: process.getuid(), place: standInDirectories('/srv')[0], home: findHomeDirectory() }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { uid, place, home } = JSON.parse(stdout) as { uid: number; place: string; home: string | null };
  expect(place).toContain(`makespacelive-${uid}-`);
  if (uid === 54_321) expect(home).toBeNull();
});
