/** A value that is to outlive a power cut. What the disk refuses is written again until it is taken, or something newer is: a full disk may have room again. */
import type { Clock } from '#device/media/clock.ts';
import type { StateDirectory, StateFile } from '#device/state/state-directory.ts';

const writeAgainMs = 5000;

export type KeptValueOptions<T> = {
  readonly file: StateFile<T>;
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
    const { state, file } = this.#options;
    await state.reserve(file);
    return state.read(file);
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

  async #writeAgain(): Promise<void> {
    // That the disk refuses has been said.
    if (this.#due !== null) await this.#write(this.#due, () => undefined);
  }

  async #write(due: Due<T>, onDiskError: (cause: unknown) => void): Promise<void> {
    const { state, file, clock } = this.#options;
    this.#cancel?.();
    this.#cancel = null;
    try {
      await (due.value === null ? state.remove(file) : state.write(file, due.value));
      if (this.#due === due) this.#due = null;
    } catch (cause) {
      if (this.#due === due && !this.#isStopped) this.#cancel = clock.schedule(() => void this.#writeAgain(), writeAgainMs);
      onDiskError(cause);
    }
  }
}
