/**
 * Where the socket of the media host is: in the state directory, as long as that can be written. A card that has become
 * read-only, or is full, must not keep a stream off the air: then a directory of this user's own among the temporary files
 * stands in, under a name by which the next agent finds it again.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function fallbackDirectory(stateDirectory: string): string {
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12);
  return join(tmpdir(), `makespacelive-${ownUserId()}-${name}`);
}

/** By number: a user that no list of users knows has no other name. Every system that this runs on has them. */
function ownUserId(): number {
  return process.getuid?.() ?? -1;
}

/** The directory to use now, then the other one, in which a host of before may still be. */
export async function runtimeDirectories(stateDirectory: string): Promise<readonly string[]> {
  const fallback = fallbackDirectory(stateDirectory);
  if (await isWritable(stateDirectory)) return [stateDirectory, fallback];
  return (await isOurs(fallback)) ? [fallback, stateDirectory] : [stateDirectory];
}

/** Really writes: a full disk gives every permission. */
async function isWritable(directory: string): Promise<boolean> {
  const path = join(directory, '.writable');
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile('1');
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
    return true;
  } catch {
    // Whatever the reason: what is wrong with the disk is told by the health.
    return false;
  }
}

/** Made here, or made by us before: a name among the temporary files may be somebody else's. */
async function isOurs(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const found = await lstat(directory);
    return found.isDirectory() && found.uid === ownUserId() && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
