import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fallbackDirectory, runtimeDirectories } from '#device/state/runtime-directory.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('a state directory that can be written is used, and left as it was', async () => {
  const directory = await temporaryDirectory();
  expect((await runtimeDirectories(directory))[0]).toBe(directory);
  expect(await readdir(directory)).toEqual([]);
});

test('another place stands in for one that cannot, the same each time, and closed to others', async () => {
  const directory = join(await temporaryDirectory(), 'gone');
  const fallback = fallbackDirectory(directory);
  onTestFinished(() => rm(fallback, { recursive: true, force: true }));
  expect(await runtimeDirectories(directory)).toEqual([fallback, directory]);
  expect(await runtimeDirectories(directory)).toEqual([fallback, directory]);
  expect((await stat(fallback)).mode & 0o777).toBe(0o700);
});

test('a place that others may look into is not used', async () => {
  const directory = join(await temporaryDirectory(), 'gone');
  const fallback = fallbackDirectory(directory);
  await mkdir(fallback);
  await chmod(fallback, 0o755);
  onTestFinished(() => rm(fallback, { recursive: true, force: true }));
  expect(await runtimeDirectories(directory)).toEqual([directory]);
});

test('a user that no list of users knows has a place too, and may have no home', () => {
  const script = `
    const { fallbackDirectory } = await import('#device/state/runtime-directory.ts');
    const { findHomeDirectory } = await import('#device/state/home-directory.ts');
    if (process.getuid() === 0) process.setuid(54321);
    delete process.env.HOME;
    console.log(JSON.stringify({ uid: process.getuid(), place: fallbackDirectory('/srv'), home: findHomeDirectory() }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { uid, place, home } = JSON.parse(stdout) as { uid: number; place: string; home: string | null };
  expect(place).toContain(`makespacelive-${uid}-`);
  if (uid === 54_321) expect(home).toBeNull();
});
