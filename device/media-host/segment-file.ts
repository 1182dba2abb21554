/** One file of a recording on its way to the disk. Every call may take as long as the disk takes, and holds up nobody else. */
import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { maximumNamesakes, recordingName } from '#device/recording/segment-name.ts';

export class SegmentFile {
  readonly fileName: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #inode: number;
  #bytes = 0;

  private constructor(path: string, fileName: string, handle: FileHandle, inode: number) {
    this.#path = path;
    this.fileName = fileName;
    this.#handle = handle;
    this.#inode = inode;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes the directory where there is none, but none above it: what is to be mounted there may be away. */
  static async open(directory: string, startedAtMs: number): Promise<SegmentFile> {
    await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
      if (codeOf(cause) !== 'EEXIST') throw cause;
    });
    for (let namesake = 1; namesake <= maximumNamesakes; namesake += 1) {
      const name = recordingName(startedAtMs, namesake);
      // A converted recording has the name too.
      if (await isThere(join(directory, `${name}.mp4`))) continue;
      const path = join(directory, `${name}.flv`);
      const handle = await open(path, 'wx', 0o600).catch((cause: unknown) => {
        if (codeOf(cause) === 'EEXIST') return null;
        throw cause;
      });
      if (handle === null) continue;
      try {
        await syncDirectory(directory);
        return new SegmentFile(path, `${name}.flv`, handle, (await handle.stat()).ino);
      } catch (cause) {
        // A disk that gives errors is tried again and again: nothing may stay open each time.
        await handle.close().catch(() => undefined);
        await unlink(path).catch(() => undefined);
        throw cause;
      }
    }
    throw new Error(`expected fewer than ${maximumNamesakes} recordings that begin in one second`);
  }

  async write(bytes: Buffer): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, this.#bytes);
      written += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }

  /** On the disk when it resolves. Rejects too when the file is no longer under its name: then nobody would ever find it. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
    if ((await stat(this.#path)).ino !== this.#inode) throw new Error('another file has the name of the one that is being written');
  }

  async close(): Promise<void> {
    try {
      await this.#handle.datasync();
    } finally {
      await this.#handle.close();
    }
  }

  /** After a fault: lets go of it, whatever the disk says; a file without a picture is of no use. */
  async abandon(isEmpty: boolean): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (isEmpty) await unlink(this.#path).catch(() => undefined);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
