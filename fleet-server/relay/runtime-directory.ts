/**
 * Where nginx and the fleet server meet: configuration, pid, sockets and HLS files. None of it needs to outlive the machine's
 * next start, and all of it is found again by a server that starts after its predecessor was killed.
 *
 * Started as root, nginx's worker becomes another user, and cannot enter the data directory (mode 0700): then the place is
 * /var/cache, where only root makes entries. Otherwise it is inside the data directory; where the path of a socket would be too
 * long there, the temporary directory, whose entry is trusted only if it is a folder of our own that nobody else can write.
 */
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '#fleet-server/relay/relay-error.ts';

export type WorkerUser = { readonly name: string; readonly uid: number; readonly gid: number };

export type RuntimePaths = {
  readonly base: string;
  /** Only the server and nginx's master. */
  readonly privateDirectory: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly recordFile: string;
  readonly controlSocket: string;
  readonly callbackSocket: string;
  readonly hlsDirectory: string;
  readonly temporaryDirectory: string;
};

/** sun_path of Linux holds 108 bytes with its closing zero (unix(7)). */
const maxSocketPathBytes = 107;

export function runtimePaths(options: {
  readonly dataDirectory: string;
  readonly isRoot: boolean;
  readonly systemTemporaryDirectory: string;
}): RuntimePaths {
  const name = `makespacelive-relay-${createHash('sha256').update(options.dataDirectory).digest('hex').slice(0, 16)}`;
  const inData = pathsIn(join(options.dataDirectory, 'relay'));
  if (options.isRoot) return pathsIn(join('/var/cache', name));
  const fits = Buffer.byteLength(inData.controlSocket) <= maxSocketPathBytes;
  return fits ? inData : pathsIn(join(options.systemTemporaryDirectory, name));
}

function pathsIn(base: string): RuntimePaths {
  const privateDirectory = join(base, 'private');
  return {
    base,
    privateDirectory,
    configFile: join(privateDirectory, 'nginx.conf'),
    pidFile: join(privateDirectory, 'nginx.pid'),
    recordFile: join(privateDirectory, 'running.json'),
    controlSocket: join(privateDirectory, 'control.sock'),
    callbackSocket: join(base, 'callback.sock'),
    hlsDirectory: join(base, 'hls'),
    temporaryDirectory: join(privateDirectory, 'temporary'),
  };
}

export async function makeRuntimeDirectory(paths: RuntimePaths, workerUser: WorkerUser | null): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  await makeOwnDirectory(paths.base, workerUser === null ? 0o700 : 0o711, uid);
  await makeOwnDirectory(paths.privateDirectory, 0o700, uid);
  await makeOwnDirectory(paths.temporaryDirectory, 0o700, uid);
  await makeOwnDirectory(paths.hlsDirectory, 0o700, uid, workerUser);
}

export async function removeRuntimeDirectory(paths: RuntimePaths): Promise<void> {
  await rm(paths.base, { recursive: true, force: true });
}

async function makeOwnDirectory(path: string, mode: number, uid: number, owner: WorkerUser | null = null): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  const found = await lstat(path);
  const isOurs = found.uid === uid || found.uid === owner?.uid;
  if (!found.isDirectory() || !isOurs || (found.mode & 0o022) !== 0) {
    throw new RelayError(
      'relay-directory-unsafe',
      `Expected ${path} to be a folder of our own that nobody else can write; remove it, or find out who made it.`,
    );
  }
  await chmod(path, mode);
  if (owner !== null) await chown(path, owner.uid, owner.gid);
}
