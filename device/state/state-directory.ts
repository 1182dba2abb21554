/**
 * The agent's small files: what must outlive a power cut.
 *
 * INVARIANTS
 * - The directory is 0700, its files 0600: they hold credentials and stream keys.
 * - A file is whole or absent: written under a temporary name, synced, renamed, and the directory synced.
 * - A disk that has become full takes the files with reserved room all the same, in place (spare-slots.ts).
 * - A file that cannot be read as what it should be is set aside under another name and said so; it never stops the agent.
 */
import { access, chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import type { Log } from '#device/logging.ts';
import { mediaDirectory } from '#device/state/media-directory.ts';
import { SpareSlots } from '#device/state/spare-slots.ts';
import { compile } from '#protocol/compile.ts';

const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** What a slot is written over where there is no file: no file of ours is empty. */
const noFile = Buffer.alloc(0);

/** No file of ours comes near: a larger one is not ours, and is not read into memory as if it were. */
const maxFileBytes = 4 * 1024 * 1024;

/** A named file with one shape. */
export type StateFile<T> = {
  readonly name: string;
  readonly check: (value: unknown) => value is T;
  /** What is kept of room for it on the disk, twice, from the first write or `reserve` on; none unless told. */
  readonly reservedBytes?: number;
};

/** To be called while a module loads. The name is that of its check as well: no two files have the same. */
export function stateFile<S extends TSchema>(
  name: string,
  schema: S,
  room: { readonly reservedBytes?: number } = {},
): StateFile<Static<S>> {
  return { name, check: compile(name, schema).Check, ...room };
}

export class StateDirectory {
  readonly path: string;
  readonly #log: Pick<Log, 'warn'>;
  /** One change at a time a file name, in the order in which they were asked for: two renames of one temporary file must not meet. */
  readonly #changing = new Map<string, Promise<unknown>>();
  readonly #spares = new Map<string, SpareSlots>();
  readonly #damaged = new Set<string>();
  #onDamaged: (name: string) => void = () => undefined;
  readonly #isReader: boolean;
  #problem: string | null = null;

  /** `isReader`: it is another's, and left as it is; whoever reads it writes nothing. */
  constructor(path: string, log: Pick<Log, 'warn'>, { isReader = false }: { readonly isReader?: boolean } = {}) {
    this.path = path;
    this.#log = log;
    this.#isReader = isReader;
  }

  /** Rejects when there is none and none can be made. One that is there and has become read-only can still be read. */
  async start(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    // Whoever copies a video to the device needs no hand to make its folder; without it nothing else is amiss.
    await mkdir(mediaDirectory(this.path), { mode: 0o700 }).catch(() => undefined);
    await chmod(this.path, 0o700).catch((cause: unknown) => {
      this.#problem = errorText(cause);
      if (this.#problem !== 'EROFS') throw cause;
      this.#log.warn('the state directory is read-only: what changes from now on is lost when the agent ends');
    });
  }

  /** Told of each file that could not be read as what it should be, once: those of before at once, others as they are read. */
  onDamaged(listener: (name: string) => void): void {
    this.#onDamaged = listener;
    for (const name of this.#damaged) listener(name);
  }

  /** Why the last write failed, as the system's code; null when it did not. */
  problem(): string | null {
    return this.#problem;
  }

  /** Null when there is none, or none that can be used. */
  async read<T>(file: StateFile<T>): Promise<T | null> {
    const path = join(this.path, file.name);
    let bytes: Buffer | null;
    try {
      bytes = await readIfThere(path);
      const spare = await this.#sparesOf(file)?.newest(bytes ?? noFile);
      const value = spare == null ? undefined : parseJson(spare.toString('utf8'));
      if (file.check(value)) return value;
    } catch (cause) {
      this.#log.warn(`cannot read ${file.name} in the state directory (${errorText(cause)}): going on without it`);
      return null;
    }
    if (bytes === null) return null;
    const value = bytes.byteLength > maxFileBytes ? undefined : parseJson(bytes.toString('utf8'));
    if (file.check(value)) return value;
    await this.#setAside(file.name);
    return null;
  }

  /** Of a file that `read` gave nothing of: why, in words; null when there has never been one. */
  async whyLost({ name }: StateFile<unknown>): Promise<string | null> {
    if (await isThere(join(this.path, name))) return `${name} in the state directory cannot be read`;
    const aside = asideName(name);
    return (await isThere(join(this.path, aside))) ? `${name} in the state directory was damaged (kept as ${aside})` : null;
  }

  /** Takes the room of a file that may never have been written: it may have to be when the disk has become full. Never rejects. */
  async reserve(file: StateFile<unknown>): Promise<void> {
    await this.#inOrder(file, async () => this.#sparesOf(file)?.reserve());
  }

  /** Rejects when the disk refuses: the caller decides what that means. */
  async write<T>(file: StateFile<T>, value: T): Promise<void> {
    const content = `${JSON.stringify(value)}\n`;
    try {
      this.#problem = await this.#inOrder(file, () => this.#keep(file, content));
    } catch (cause) {
      this.#problem = errorText(cause);
      throw cause;
    }
  }

  /** Rejects when the disk refuses. */
  remove(file: StateFile<unknown>): Promise<void> {
    return this.#inOrder(file, async () => {
      await rm(join(this.path, file.name), { force: true });
      await this.#sparesOf(file)?.renew();
      await this.#syncDirectory();
    });
  }

  /** Whatever was asked for so far is on the disk, or was refused. */
  async settled(): Promise<void> {
    while (this.#changing.size > 0) await Promise.allSettled(this.#changing.values());
  }

  async #inOrder<T>({ name }: StateFile<unknown>, change: () => Promise<T>): Promise<T> {
    const before = this.#changing.get(name) ?? Promise.resolve();
    const changing = before.catch(() => undefined).then(change);
    this.#changing.set(name, changing);
    try {
      return await changing;
    } finally {
      if (this.#changing.get(name) === changing) this.#changing.delete(name);
    }
  }

  #sparesOf({ name, reservedBytes }: StateFile<unknown>): SpareSlots | undefined {
    if (reservedBytes === undefined) return undefined;
    const spares = this.#spares.get(name) ?? new SpareSlots(this.path, name, reservedBytes);
    this.#spares.set(name, spares);
    return spares;
  }

  /** Null, or why the file itself could not be written although its content is on the disk. */
  async #keep(file: StateFile<unknown>, content: string): Promise<string | null> {
    const spares = this.#sparesOf(file);
    try {
      await this.#replace(file.name, content);
    } catch (cause) {
      const problem = errorText(cause);
      if (spares === undefined || !fullCodes.includes(problem)) throw cause;
      try {
        await spares.write((await readIfThere(join(this.path, file.name))) ?? noFile, Buffer.from(content));
      } catch {
        // Nothing was kept for it, or too little: the disk’s own word says more.
        throw cause;
      }
      return problem;
    }
    await spares?.renew();
    return null;
  }

  async #replace(name: string, content: string): Promise<void> {
    const path = join(this.path, name);
    const temporary = `${path}.new`;
    const handle = await open(temporary, 'w', 0o600);
    try {
      // A temporary file that a crash left keeps its old mode: `open` sets one only when it creates.
      await handle.chmod(0o600);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    const handle = await open(this.path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** One copy a file is kept for whoever wants to look; the next one replaces it. */
  async #setAside(name: string): Promise<void> {
    const aside = asideName(name);
    const isNew = !this.#damaged.has(name);
    this.#damaged.add(name);
    if (isNew) this.#onDamaged(name);
    if (this.#isReader) {
      this.#log.warn(`${name} in the state directory is damaged`);
      return;
    }
    try {
      await rename(join(this.path, name), join(this.path, aside));
      this.#log.warn(`${name} in the state directory is damaged: kept as ${aside}, going on without it`);
    } catch (cause) {
      this.#log.warn(`${name} in the state directory is damaged and could not be set aside (${errorText(cause)}): going on without it`);
    }
  }
}

function asideName(name: string): string {
  return `${name}.damaged`;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (cause: unknown) => !isMissing(cause),
  );
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw cause;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Damaged is damaged: the caller says so, and what is in the file may be a secret.
    return undefined;
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

/** The system's code where there is one (ENOSPC, EROFS): short, and without a path. */
export function errorText(cause: unknown): string {
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return String(cause);
}
