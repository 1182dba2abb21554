/**
 * One agent a state directory. The lock is a name in Linux's abstract socket namespace, drawn from the directory's identity:
 * taking it is atomic, and the kernel frees it with its process, so that after kill -9 or a power cut there is no stale lock
 * to judge. `agent.pid` only tells people who holds it. Two containers with network namespaces of their own do not see each
 * other's names: they must not share a state directory.
 */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

export type LockOutcome =
  | { readonly kind: 'held'; readonly release: () => Promise<void> }
  /** `holder` is its process id as far as is known. */
  | { readonly kind: 'busy'; readonly holder: string };

export async function lockStateDirectory(directory: string): Promise<LockOutcome> {
  const { dev, ino } = await stat(directory);
  const pidFile = join(directory, 'agent.pid');
  const server = await listen(`\0makespacelive-agent-${dev}-${ino}`);
  if (server === null) {
    const holder = await readFile(pidFile, 'utf8').catch(() => '');
    return { kind: 'busy', holder: holder.trim() || 'unknown' };
  }
  // A disk that cannot be written is told by the health, and is no reason not to stream.
  await writeFile(pidFile, `${process.pid}\n`, { mode: 0o600 }).catch(() => undefined);
  let released: Promise<void> | null = null;
  const release = async (): Promise<void> => {
    await rm(pidFile, { force: true }).catch(() => undefined);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    kind: 'held',
    release: () => {
      released ??= release();
      return released;
    },
  };
}

/** Null when somebody else has the name. */
function listen(name: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** One random name a boot of the kernel. */
export async function readBootId(): Promise<string> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return text.trim() === '' ? 'unknown-boot' : text.trim();
}
