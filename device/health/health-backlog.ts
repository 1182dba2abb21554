/**
 * Health of the time without a fleet server: one sample a minute, of the last six hours.
 *
 * INVARIANTS
 * - It outlives the agent and the boot: it is on disk each five minutes, no more often, as a card bears only so many writes. What a power cut
 *   takes is no more than that. An orderly end takes nothing.
 * - The file goes once all has arrived; a power cut before that sends some of it twice, which a chart bears.
 * - Ages are measured by the time since the boot, so that the server can place a sample whatever the device believes the time is. Only what is of
 *   an earlier boot is placed by the wall clock, and waits until that is set.
 * - A disk that refuses costs no more than the memory over a restart.
 */
import { uptime } from 'node:os';
import { type Static, Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import { isClockSet } from '#device/schedule/outlets.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { BacklogFigures, type Health, type HealthBacklog } from '#protocol/messages.ts';

export const backlogIntervalMs = 60_000;
export const maxBacklogSamples = 360;
/** As many as one message carries. */
export const backlogBatch = 60;
export const backlogWriteIntervalMs = 300_000;

const Kept = Type.Object({
  /** Since the boot, or since 1970: an earlier boot's. */
  atMs: Type.Number(),
  by: Type.Union([Type.Literal('uptime'), Type.Literal('wall')]),
  figures: BacklogFigures,
});
type Kept = Static<typeof Kept>;

const file = stateFile(
  'health-backlog.json',
  Type.Object({
    bootId: Type.String({ maxLength: 1000 }),
    /** Both when it was written. */
    uptimeMs: Type.Number(),
    nowMs: Type.Number(),
    kept: Type.Array(Kept, { maxItems: maxBacklogSamples }),
  }),
);

export type HealthBacklogOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write' | 'remove'>;
  readonly log: Pick<Log, 'warn'>;
  readonly nowMs: () => number;
  /** Since the boot: the same for an agent that is started again. */
  readonly uptimeMs?: () => number;
};

export class HealthBacklogKeeper {
  readonly #options: HealthBacklogOptions;
  readonly #uptimeMs: () => number;
  #bootId = '';
  #kept: Kept[] = [];
  /** What `next` gave last. */
  #offered: readonly Kept[] = [];
  #writeAtMs = 0;
  #isOnDisk = false;
  #work: Promise<void> = Promise.resolve();
  /** Said once. */
  #isRefused = false;

  constructor(options: HealthBacklogOptions) {
    this.#options = options;
    this.#uptimeMs = options.uptimeMs ?? (() => uptime() * 1000);
  }

  /** What an agent of before could not tell. */
  async load(bootId: string): Promise<void> {
    this.#bootId = bootId;
    this.#writeAtMs = this.#uptimeMs() + backlogWriteIntervalMs;
    const written = await this.#options.state.read(file);
    if (written === null) return;
    this.#isOnDisk = true;
    const isThisBoot = written.bootId === bootId;
    const wallMs = written.nowMs - written.uptimeMs;
    const placed = written.kept.map((kept) =>
      isThisBoot || kept.by === 'wall' ? kept : { ...kept, atMs: wallMs + kept.atMs, by: 'wall' as const },
    );
    this.#kept = placed.filter(({ atMs, by }) => by === 'uptime' || isClockSet(atMs));
    if (this.#kept.length < placed.length) {
      this.#options.log.warn('health of before the boot is left out: the device did not know the time then');
    }
  }

  /** A health that nobody could be told. Those that come sooner than a minute after the last are left out. */
  add({ figures, board }: Health): void {
    const atMs = this.#uptimeMs();
    const last = this.#kept.at(-1);
    if (last?.by === 'uptime' && atMs - last.atMs < backlogIntervalMs) return;
    if (last === undefined) this.#writeAtMs = atMs + backlogWriteIntervalMs;
    const thinned = {
      framesPerSecond: figures?.framesPerSecond ?? null,
      videoBitrateKbps: figures?.videoBitrateKbps ?? null,
      temperatureC: board.temperatureC ?? null,
      loadAverage1m: board.loadAverage1m,
      memoryAvailableBytes: board.memoryAvailableBytes,
    };
    this.#kept.push({ atMs, by: 'uptime', figures: thinned });
    if (this.#kept.length > maxBacklogSamples) this.#kept.shift();
    if (atMs < this.#writeAtMs) return;
    this.#writeAtMs = atMs + backlogWriteIntervalMs;
    this.#keep();
  }

  /** The oldest that wait and can be placed, with their age at this moment; null when there are none. They stay until `drop`. */
  next(): HealthBacklog | null {
    const placed = this.#kept.flatMap((kept) => {
      const ageMs = this.#ageOf(kept);
      return ageMs === null ? [] : [{ kept, ageMs }];
    });
    const batch = placed.slice(0, backlogBatch);
    this.#offered = batch.map(({ kept }) => kept);
    return batch.length === 0 ? null : { samples: batch.map(({ kept, ageMs }) => ({ ageMs, ...kept.figures })) };
  }

  /** The oldest `count` that `next` gave have arrived. */
  drop(count: number): void {
    const arrived = new Set(this.#offered.slice(0, count));
    this.#kept = this.#kept.filter((kept) => !arrived.has(kept));
    if (this.#kept.length === 0 && this.#isOnDisk) this.#keep();
  }

  /** Writes what waits; nothing is being written when it resolves. */
  async stop(): Promise<void> {
    if (this.#kept.length > 0) this.#keep();
    await this.#work;
  }

  /** Null: nobody knows yet. */
  #ageOf({ atMs, by }: Kept): number | null {
    const nowMs = by === 'uptime' ? this.#uptimeMs() : this.#options.nowMs();
    return by === 'wall' && !isClockSet(nowMs) ? null : Math.max(0, Math.round(nowMs - atMs));
  }

  /** The file as what waits, or none. */
  #keep(): void {
    this.#work = this.#work.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { state, log, nowMs } = this.#options;
    try {
      if (this.#kept.length === 0) await state.remove(file);
      else await state.write(file, { bootId: this.#bootId, uptimeMs: this.#uptimeMs(), nowMs: nowMs(), kept: this.#kept });
      this.#isOnDisk = this.#kept.length > 0;
      this.#isRefused = false;
    } catch (cause) {
      if (!this.#isRefused) log.warn(`cannot keep the health of a time without the fleet (${errorText(cause)}): a restart loses it`);
      this.#isRefused = true;
    }
  }
}
