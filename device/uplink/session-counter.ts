/**
 * The number of each connection: it only grows, over restarts and power cuts, so that the fleet server can tell the death
 * of an old connection from that of the present one. A number is on disk before it is used. One that never reached a server
 * (nothing listened there) is used again, so that a device without network does not write to its card for ever.
 */
import { type Static, Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { type Session, unkeptBootId } from '#protocol/identifiers.ts';

const SessionRecord = Type.Object({ bootId: Type.String(), counter: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) });
type SessionRecord = Static<typeof SessionRecord>;
const sessionFile = stateFile('session.json', SessionRecord, { reservedBytes: 4096 });

export type SessionCounterOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly bootId: string;
  /** Where a counter starts that has no past: above every number that a lost file could have held. */
  readonly nowMs: () => number;
  readonly log: Pick<Log, 'warn'>;
};

export class SessionCounter {
  readonly #options: SessionCounterOptions;
  #counter: number | null = null;
  #isUnused = false;
  /** Whether the last number is on the disk. */
  #isKept = true;

  constructor(options: SessionCounterOptions) {
    this.#options = options;
  }

  /** Never rejects: a card that has become read-only must not cut the device off from its fleet. */
  async next(): Promise<Session> {
    const { state } = this.#options;
    if (this.#isUnused && this.#counter !== null) {
      this.#isUnused = false;
      return this.#session(this.#counter);
    }
    const last = this.#counter ?? (await state.read(sessionFile))?.counter ?? this.#firstAfterLoss();
    this.#counter = await this.#keep(last + 1);
    return this.#session(this.#counter);
  }

  /** The number that `next` gave last has not been seen by any server. */
  giveBack(): void {
    this.#isUnused = true;
  }

  /** The number itself once it is on disk; where it cannot be, one by the clock, so that the next start goes on above it. */
  async #keep(counter: number): Promise<number> {
    const { state, bootId, log } = this.#options;
    const record: SessionRecord = { bootId, counter };
    try {
      await state.write(sessionFile, record);
      this.#isKept = true;
      return counter;
    } catch (cause) {
      log.warn(`cannot keep the session number on disk (${errorText(cause)}): going by the clock`);
      this.#isKept = false;
      return Math.max(counter, this.#firstAfterLoss());
    }
  }

  /**
   * A number that is on no disk is above those that the next agent of this boot will have: under a boot id of its own, so that the server
   * takes that agent for what it is instead of for a message that comes late.
   */
  #session(counter: number): Session {
    const { bootId } = this.#options;
    return { bootId: this.#isKept ? bootId : unkeptBootId(bootId, counter), counter };
  }

  /** A card whose file was damaged must not begin at 1 again: its server knows higher numbers. Seconds since 1970 are higher than any count. */
  #firstAfterLoss(): number {
    return Math.max(0, Math.floor(this.#options.nowMs() / 1000));
  }
}
