/**
 * What devices say of their health, kept for a day and read back for charts.
 *
 * INVARIANTS
 * - Samples are written once a second for all devices together: one wait for the disk, not one a device.
 * - At most `maxWaiting` samples wait; what comes beyond is dropped and counted, as the next one comes in 10 s.
 */
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import * as store from '#fleet-server/health/health-store.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database, HealthSamplesTable } from '#fleet-server/store/schema.ts';
import type { SoundFigures } from '#protocol/media.ts';
import type { Health, HealthBacklog } from '#protocol/messages.ts';
import type { HealthHistory } from '#protocol/model/device.ts';

export type HealthSamplesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  isKnown(deviceId: string): boolean;
  /** Whether this server does what is done at one alone. */
  isLeader(): boolean;
};

const flushMs = 1000;
const maxWaiting = 20_000;
const keptMs = 24 * 3_600_000;
const pruneMs = 60_000;
/** Rows a deletion takes at once, so that it never holds the store for long. */
const pruneRows = 5000;

export class HealthSamples {
  readonly #options: HealthSamplesOptions;
  #waiting: HealthSamplesTable[] = [];
  #dropped = 0;
  #work: Promise<void> | null = null;
  #cancels: (() => void)[] = [];

  constructor(options: HealthSamplesOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, isLeader } = this.#options;
    this.#cancels = [
      clock.every(flushMs, () => this.#run(() => this.flush())),
      clock.every(pruneMs, () => isLeader() && this.#run(() => this.prune())),
    ];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    await this.#work;
    await this.flush();
  }

  onHealth(deviceId: string, health: Health): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({
      deviceId,
      atMs: this.#options.clock.nowMs(),
      framesPerSecond: health.figures?.framesPerSecond ?? null,
      videoBitrateKbps: health.figures?.videoBitrateKbps ?? null,
      temperatureC: health.board.temperatureC ?? null,
      loadAverage1m: health.board.loadAverage1m,
      memoryAvailableBytes: health.board.memoryAvailableBytes,
      audioRmsDbfs: loudestDbfs(health.figures?.sound),
      audioVideoDriftMs: health.figures?.audioVideoDriftMs ?? null,
    });
  }

  /** Of the time in which the device was not connected. What is older than what is kept is not taken. */
  onBacklog(deviceId: string, { samples }: HealthBacklog): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { ageMs, ...figures } of samples) {
      if (ageMs >= keptMs) continue;
      if (this.#waiting.length >= maxWaiting) this.#dropped += 1;
      else this.#waiting.push({ deviceId, atMs: nowMs - ageMs, audioRmsDbfs: null, audioVideoDriftMs: null, ...figures });
    }
  }

  async flush(): Promise<void> {
    const { database, isKnown, log } = this.#options;
    // A device may have been removed since.
    const samples = this.#waiting.filter(({ deviceId }) => isKnown(deviceId));
    this.#waiting = [];
    if (samples.length > 0) await store.insertSamples(database, samples);
    if (this.#dropped > 0) log.warn({ dropped: this.#dropped }, 'health samples were dropped: the store is too slow');
    this.#dropped = 0;
  }

  async prune(): Promise<void> {
    const { database, clock } = this.#options;
    await store.pruneSamples(database, clock.nowMs() - keptMs, pruneRows);
  }

  async query(query: {
    readonly deviceId: string;
    readonly fromMs: number;
    readonly toMs: number;
    readonly stepS: number;
  }): Promise<HealthHistory> {
    const rows = await store.samplesByStep(this.#options.database, { ...query, stepMs: query.stepS * 1000 });
    return { stepS: query.stepS, samples: rows.map(({ atMs, ...figures }) => ({ at: timestamp(atMs), ...figures })) };
  }

  /** One at a time: a disk that hangs must not gather work behind it. */
  #run(action: () => Promise<void>): void {
    if (this.#work !== null) return;
    this.#work = action()
      .catch((err: unknown) => this.#options.log.error({ err }, 'health samples could not be stored'))
      .finally(() => {
        this.#work = null;
      });
  }
}

function loudestDbfs(sound: SoundFigures | undefined): number | null {
  return sound === undefined ? null : Math.max(...sound.channels.map(({ rmsDbfs }) => rmsDbfs));
}
