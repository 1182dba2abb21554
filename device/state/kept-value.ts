/** A value that is to outlive a power cut. What the disk refuses is written again until it is taken, or something newer is: a full disk may have room again. */
import type { Clock } from '#device/media/clock.ts';
import type { StateDirectory, StateFile } from '#device/state/state-directory.ts';

const writeAgainMs = 5000;

export type KeptValueOptions<T> = {
  readonly file: StateFile<T>;
  /** Written after it, for a disk that damages the file itself: as new, or what was there before. */
  readonly copy?: StateFile<T>;
  readonly state: Pick<StateDirectory, 'read' | 'write' | 'remove' | 'reserve'>;
  readonly clock: Pick<Clock, 'schedule'>;
  /** Once for each value. */
  readonly onDiskError: (cause: unknown) => void;
};

type Due<T> = { readonly value: T | null };

export class KeptValue<T> {
  readonly #options: KeptValueOptions<T>;
  /** What is not on the disk yet. */
  #due: Due<T> | null = null;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(options: KeptValueOptions<T>) {
    this.#options = options;
  }

  /** Null when there is none. */
  async load(): Promise<T | null> {
    const { state } = this.#options;
    for (const file of this.#files()) await state.reserve(file);
    for (const file of this.#files()) {
      const value = await state.read(file);
      if (value !== null) return value;
    }
    return null;
  }

  /** Null: there is none any more. Resolves when a power cut would change nothing, or the disk has refused. */
  async keep(value: T | null): Promise<void> {
    const due = { value };
    this.#due = due;
    await this.#write(due, this.#options.onDiskError);
  }

  /** What the disk refused is written once more. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#cancel !== null) await this.#writeAgain();
  }

  #files(): readonly StateFile<T>[] {
    const { file, copy } = this.#options;
    return copy === undefined ? [file] : [file, copy];
  }

  async #writeAgain(): Promise<void> {
    // That the disk refuses has been said.
    if (this.#due !== null) await this.#write(this.#due, () => undefined);
  }

  async #write(due: Due<T>, onDiskError: (cause: unknown) => void): Promise<void> {
    const { state, clock } = this.#options;
    const { value } = due;
    this.#cancel?.();
    this.#cancel = null;
    try {
      if (value === null) for (const file of this.#files().toReversed()) await state.remove(file);
      else for (const file of this.#files()) await state.write(file, value);
      if (this.#due === due) this.#due = null;
    } catch (cause) {
      if (this.#due === due && !this.#isStopped) this.#cancel = clock.schedule(() => void this.#writeAgain(), writeAgainMs);
      onDiskError(cause);
    }
  }
}
