/** Which USB names without their sockets several devices have had at once, kept over reboots: a serial number that is shared once is never a proof. */
import { Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';

/** The oldest are forgotten. */
const maximumNames = 64;
const file = stateFile(
  'shared-serial-numbers.json',
  Type.Object({ names: Type.Array(Type.String({ maxLength: 200 }), { maxItems: maximumNames }) }),
);

export type SharedNamesMemoryOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly log: Pick<Log, 'warn'>;
};

export class SharedNamesMemory {
  readonly #options: SharedNamesMemoryOptions;
  #names: readonly string[] = [];

  constructor(options: SharedNamesMemoryOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    this.#names = (await this.#options.state.read(file))?.names ?? [];
  }

  /** All that are known, with what a look has shown. */
  learn(seen: readonly string[]): readonly string[] {
    const isNew = (name: string) => !this.#names.includes(name);
    if (seen.some(isNew)) {
      this.#names = [...this.#names, ...seen.filter(isNew)].slice(-maximumNames);
      void this.#write();
    }
    return this.#names;
  }

  async #write(): Promise<void> {
    const { state, log } = this.#options;
    try {
      await state.write(file, { names: [...this.#names] });
    } catch (cause) {
      log.warn(`cannot note which serial numbers are shared (${errorText(cause)}): an agent that is started again does not know it`);
    }
  }
}
