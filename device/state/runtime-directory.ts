/**
 * Where the socket of the media host is: in the state directory, as long as that can be written and its name is short enough for
 * a socket. A card that has become read-only, or is full, must not keep a stream off the air: then a directory of this user's own
 * stands in, in memory where there is such a place, under a name by which the next agent finds it again.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostFiles } from '#device/media/host-files.ts';

/** Of a socket's name, in bytes: unix(7), less the zero at its end. */
const longestSocketName = 107;

/**
 * In memory, but for the last. They are not taken from the environment (RUNTIME_DIRECTORY, XDG_RUNTIME_DIR): whoever calls the doctor
 * has another one than the service. The first is the service's own (makespacelive-agent.service), the third is for root alone.
 */
export function standInPlaces(): readonly string[] {
  return ['/run/makespacelive', `/run/user/${ownUserId()}`, '/run', '/dev/shm', tmpdir()];
}

export function standInDirectories(stateDirectory: string, places = standInPlaces()): readonly string[] {
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12);
  return places.map((place) => join(place, `makespacelive-${ownUserId()}-${name}`));
}

/** By number: a user that no list of users knows has no other name. Every system that this runs on has them. */
function ownUserId(): number {
  return process.getuid?.() ?? -1;
}

/** The directory to use now, then the others, in which a host of before may still be. */
export async function runtimeDirectories(stateDirectory: string, places = standInPlaces()): Promise<readonly string[]> {
  const chosen = (await canHoldSocket(stateDirectory)) ? stateDirectory : await makeStandIn(stateDirectory, places);
  const all = [stateDirectory, ...(await foundStandIns(stateDirectory, places))];
  return chosen === null ? all : [chosen, ...all.filter((path) => path !== chosen)];
}

/** Those that are there. */
export async function foundStandIns(stateDirectory: string, places = standInPlaces()): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of standInDirectories(stateDirectory, places)) if (await isOurs(directory)) found.push(directory);
  return found;
}

/** For once: a new one each time, which its caller removes. Rejects when there is no place for it, with the last one's reason. */
export async function makePassingDirectory(name: string, places = standInPlaces()): Promise<string> {
  let problem: unknown;
  for (const place of places) {
    try {
      return await mkdtemp(join(place, `${name}-`));
    } catch (cause) {
      problem = cause;
    }
  }
  throw problem;
}

async function makeStandIn(stateDirectory: string, places: readonly string[]): Promise<string | null> {
  for (const directory of standInDirectories(stateDirectory, places)) {
    try {
      await mkdir(directory, { mode: 0o700 });
    } catch {
      // It is there already, or cannot be made in this place: the next lines tell.
    }
    if ((await isOurs(directory)) && (await canHoldSocket(directory))) return directory;
  }
  return null;
}

async function canHoldSocket(directory: string): Promise<boolean> {
  return Buffer.byteLength(hostFiles(directory).socket) <= longestSocketName && (await isWritable(directory));
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

/** Made by us, now or before: a name in a place that all may write may be somebody else's. */
async function isOurs(directory: string): Promise<boolean> {
  try {
    const found = await lstat(directory);
    return found.isDirectory() && found.uid === ownUserId() && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
