/**
 * What somebody at a desk wants of the stream or the recording, against the settings and their hours: the commands
 * start-streaming, stop-streaming, start-recording and stop-recording. It holds until what it was switched against has changed
 * (its basis); restarts of the agent, the media host and the device leave it as it is, because a fault must neither end a
 * recording nor put a picture on air that somebody took off.
 */
import { type Static, Type } from 'typebox';
import type { Outlet } from '#device/schedule/outlets.ts';
import { KeptValue, type KeptValueOptions } from '#device/state/kept-value.ts';
import { type StateFile, stateFile } from '#device/state/state-directory.ts';

/**
 * `basis`: what it was switched against, in any words that change when it shall no longer hold. `endsAtMs`: when the hours begin
 * that decide again; they may begin and end while the device is off.
 */
const Switched = Type.Object({
  isOn: Type.Boolean(),
  basis: Type.String({ maxLength: 16_384 }),
  endsAtMs: Type.Optional(Type.Number()),
});
export type Switched = Readonly<Static<typeof Switched>>;

/** Whether the hours have begun with which it ends, now or while nobody looked. */
export function isOver({ endsAtMs }: Switched, nowMs: number): boolean {
  return endsAtMs !== undefined && nowMs >= endsAtMs;
}

/** A basis names up to ten addresses. */
const reservedBytes = 16 * 1024;
const files = {
  stream: stateFile('stream-switch.json', Switched, { reservedBytes }),
  record: stateFile('recording-switch.json', Switched, { reservedBytes }),
} as const satisfies Record<Outlet, StateFile<Switched>>;

export type OutletSwitchOptions = Omit<KeptValueOptions<Switched>, 'file'> & { readonly outlet: Outlet };

export class OutletSwitch {
  readonly #kept: KeptValue<Switched>;
  #switched: Switched | null = null;

  constructor(options: OutletSwitchOptions) {
    this.#kept = new KeptValue({ ...options, file: files[options.outlet] });
  }

  async load(): Promise<void> {
    this.#switched = await this.#kept.load();
  }

  /** Null: the settings decide. */
  switched(): Switched | null {
    return this.#switched;
  }

  /** Whether it is wanted on or off by hand, as things stand now; null: the settings decide. */
  wanted(basis: string): boolean | null {
    return this.#switched?.basis === basis ? this.#switched.isOn : null;
  }

  /** Holds at once; resolves when it would survive a power cut, or the disk has refused. */
  turn(isOn: boolean, basis: string, endsAtMs: number | null = null): Promise<void> {
    const switched: Switched = { isOn, basis, ...(endsAtMs === null ? {} : { endsAtMs }) };
    this.#switched = switched;
    return this.#kept.keep(switched);
  }

  /** The settings decide again. Resolves as `turn` does. */
  async release(): Promise<void> {
    if (this.#switched === null) return;
    this.#switched = null;
    await this.#kept.keep(null);
  }

  /** What the disk refused is written once more. May be called twice. */
  stop(): Promise<void> {
    return this.#kept.stop();
  }

  /** True when it no longer holds: this is not what it was switched against. */
  endsWith(basis: string): boolean {
    if (this.#switched === null || this.#switched.basis === basis) return false;
    void this.release();
    return true;
  }
}
