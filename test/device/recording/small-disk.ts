/** A disk of its own, small enough to be filled in a moment. Only root may mount one: elsewhere tests with it say that they were left out. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Null where it can be done; otherwise why not, for the test's report. */
export const noSmallDisk: string | null = process.getuid?.() === 0 ? null : 'mounting a small disk needs root';

export type SmallDisk = {
  readonly path: string;
  readonly remount: (options: 'ro' | 'rw') => Promise<void>;
  readonly fill: (name: string, bytes: number) => Promise<void>;
  /** Takes every byte that is left, as a file of that name. */
  readonly fillUp: (name: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
};

export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-'));
  const path = join(folder, 'mounted');
  await mkdir(path);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  onTestFinished(async () => {
    // Whoever still has a file open there is being ended: a lazy unmount does not wait for him.
    await run('umount', ['-l', path]);
    await rm(folder, { recursive: true, force: true });
  });
  return {
    path,
    remount: async (options) => {
      await run('mount', ['-o', `remount,${options}`, path]);
    },
    fill: (name, bytes) => writeFile(join(path, name), Buffer.alloc(bytes)),
    fillUp: async (name) => {
      const handle = await open(join(path, name), 'a');
      try {
        for (;;) await handle.write(Buffer.alloc(4096));
      } catch (cause) {
        if ((cause as { code?: string }).code !== 'ENOSPC') throw cause;
      } finally {
        await handle.close();
      }
    },
    remove: (name) => rm(join(path, name), { recursive: true }),
  };
}

/** A directory of which nothing can be deleted any more, as on a card that has become read-only; `release` ends that. */
export async function madeReadOnly(directory: string): Promise<{ readonly release: () => Promise<void> }> {
  await run('mount', ['--bind', directory, directory]);
  let isMounted = true;
  const release = async (): Promise<void> => {
    if (isMounted) await run('umount', ['-l', directory]);
    isMounted = false;
  };
  onTestFinished(release);
  await run('mount', ['-o', 'remount,ro,bind', directory]);
  return { release };
}
