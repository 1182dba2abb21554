/** A disk of a test's own, which may become full or read-only. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { standInDirectories } from '#device/state/runtime-directory.ts';
import { endProcessesWith } from '../processes.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const canMount = ((): boolean => {
  const place = `/tmp/makespacelive-mount-${process.pid}`;
  mkdirSync(place, { recursive: true });
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', place], { stdio: 'ignore' }).status === 0;
  if (isMounted) spawnSync('umount', [place]);
  rmSync(place, { recursive: true, force: true });
  return isMounted;
})();

/** Of 32 MB, with room for a state directory, gone with the test. */
export async function smallDisk(): Promise<{ readonly place: string; readonly stateDirectory: string }> {
  const place = join(await temporaryDirectory(), 'disk');
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', place]);
  const stateDirectory = join(place, 'state');
  onTestFinished(() => {
    endProcessesWith(stateDirectory, 'SIGKILL');
    spawnSync('umount', ['--lazy', place]);
    for (const path of standInDirectories(stateDirectory)) rmSync(path, { recursive: true, force: true });
  });
  return { place, stateDirectory };
}

export function makeReadOnly(place: string): void {
  execFileSync('mount', ['-o', 'remount,ro', place]);
}
