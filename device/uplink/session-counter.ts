/**
 * The number of each connection: it only grows, over restarts and power cuts, so that the fleet server can tell the death
 * of an old connection from that of the present one. A number is on disk before it is used. One that never reached a server
 * (nothing listened there) is used again, so that a device without network does not write to its card for ever.
 */
import { type Static, Type } from 'typebox';
import { type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import type { Session } from '#protocol/identifiers.ts';

const SessionRecord = Type.Object({ bootId: Type.String(), counter: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) });
type SessionRecord = Static<typeof SessionRecord>;
const sessionFile = stateFile('session.json', SessionRecord);

export type SessionCounterOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly bootId: string;
  /** Where a counter starts that has no past: above every number that a lost file could have held. */
  readonly nowMs: () => number;
};

export class SessionCounter {
  readonly #options: SessionCounterOptions;
  #counter: number | null = null;
  #isUnused = false;

  constructor(options: SessionCounterOptions) {
    this.#options = options;
  }

  /** Rejects when the number cannot be kept. */
  async next(): Promise<Session> {
    const { state, bootId } = this.#options;
    if (this.#isUnused && this.#counter !== null) {
      this.#isUnused = false;
      return { bootId, counter: this.#counter };
    }
    const last = this.#counter ?? (await state.read(sessionFile))?.counter ?? this.#firstAfterLoss();
    const record: SessionRecord = { bootId, counter: last + 1 };
    await state.write(sessionFile, record);
    this.#counter = record.counter;
    return record;
  }

  /** The number that `next` gave last has not been seen by any server. */
  giveBack(): void {
    this.#isUnused = true;
  }

  /** A card whose file was damaged must not begin at 1 again: its server knows higher numbers. Seconds since 1970 are higher than any count. */
  #firstAfterLoss(): number {
    return Math.max(0, Math.floor(this.#options.nowMs() / 1000));
  }
}
