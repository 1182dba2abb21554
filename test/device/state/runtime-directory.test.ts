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
