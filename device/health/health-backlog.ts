/**
 * Health of the time without a fleet server: one sample a minute, of the last six hours, in memory. Ages are measured by the
 * monotonic clock, so that the server can place a sample whatever the device believes the time is.
 */
import type { Health, HealthBacklog } from '#protocol/messages.ts';

export const backlogIntervalMs = 60_000;
export const maxBacklogSamples = 360;
/** As many as one message carries. */
export const backlogBatch = 60;

type Kept = { readonly atMs: number; readonly sample: Omit<HealthBacklog['samples'][number], 'ageMs'> };

export class HealthBacklogKeeper {
  readonly #monotonicMs: () => number;
  #kept: Kept[] = [];

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** A health that nobody could be told. Those that come sooner than a minute after the last are left out. */
  add({ figures, board }: Health): void {
    const atMs = this.#monotonicMs();
    const last = this.#kept.at(-1);
    if (last !== undefined && atMs - last.atMs < backlogIntervalMs) return;
    const sample = {
      framesPerSecond: figures?.framesPerSecond ?? null,
      videoBitrateKbps: figures?.videoBitrateKbps ?? null,
      temperatureC: board.temperatureC ?? null,
      loadAverage1m: board.loadAverage1m,
      memoryAvailableBytes: board.memoryAvailableBytes,
    };
    this.#kept.push({ atMs, sample });
    if (this.#kept.length > maxBacklogSamples) this.#kept.shift();
  }

  /** The oldest that wait, with their age at this moment; null when none do. They stay until `drop`. */
  next(): HealthBacklog | null {
    if (this.#kept.length === 0) return null;
    const nowMs = this.#monotonicMs();
    return {
      samples: this.#kept.slice(0, backlogBatch).map(({ atMs, sample }) => ({ ageMs: Math.max(0, Math.round(nowMs - atMs)), ...sample })),
    };
  }

  /** The oldest `count` have arrived. */
  drop(count: number): void {
    this.#kept.splice(0, count);
  }
}
