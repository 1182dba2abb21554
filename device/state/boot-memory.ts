/**
 * Something small that outlives the agent and not the machine's boot: an agent that is started again knows it, and after a boot it is found anew, as
 * what is plugged in then is plugged in on purpose.
 *
 * INVARIANT: a disk that refuses costs no more than the memory over a restart.
 */
import type { Log } from '#device/logging.ts';
import { errorText, type StateDirectory, type StateFile } from '#device/state/state-directory.ts';

export type BootMemoryOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly log: Pick<Log, 'warn'>;
};

/** What is known stands in the file beside the boot that it is of. */
export type BootMemoryFile<T, Kept extends { readonly bootId: string }> = {
  readonly file: StateFile<Kept>;
  readonly pack: (bootId: string, value: T) => Kept;
  readonly unpack: (kept: Kept) => T;
  /** What cannot be noted where the disk refuses, and what comes of it. */
  readonly words: { readonly what: string; readonly consequence: string };
};

export class BootMemory<T, Kept extends { readonly bootId: string }> {
  readonly #file: BootMemoryFile<T, Kept>;
  readonly #options: BootMemoryOptions;
  #bootId = '';
  #value: T;
  #written: string;
  /** Said once. */
  #isRefused = false;

  /** `nothing`: what is known before anything is; it is not written. */
  constructor(file: BootMemoryFile<T, Kept>, nothing: T, options: BootMemoryOptions) {
    this.#file = file;
    this.#options = options;
    this.#value = nothing;
    this.#written = JSON.stringify(nothing);
  }

  async load(bootId: string): Promise<void> {
    this.#bootId = bootId;
    const kept = await this.#options.state.read(this.#file.file);
    if (kept === null || kept.bootId !== bootId) return;
    this.#value = this.#file.unpack(kept);
    this.#written = JSON.stringify(this.#value);
  }

  value(): T {
    return this.#value;
  }

  /** Written only when something has changed. */
  keep(value: T): void {
    this.#value = value;
    const text = JSON.stringify(value);
    if (text === this.#written) return;
    this.#written = text;
    void this.#write(this.#file.pack(this.#bootId, value));
  }

  async #write(kept: Kept): Promise<void> {
    try {
      await this.#options.state.write(this.#file.file, kept);
      this.#isRefused = false;
    } catch (cause) {
      this.#written = '';
      const { what, consequence } = this.#file.words;
      if (!this.#isRefused) this.#options.log.warn(`cannot note ${what} (${errorText(cause)}): ${consequence}`);
      this.#isRefused = true;
    }
  }
}
