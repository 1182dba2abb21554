/**
 * What devices say of their health, kept (health-roll-up.ts) and read back for charts.
 *
 * INVARIANTS
 * - Samples are written once a second for all devices together: one wait for the disk, not one a device. Those of one device wait for each
 *   other, as each device has a place of its own in the table: a few that are written there together cost as much as one.
 * - Who asks for what a device said gets what waits, too.
 * - At most `maxWaiting` samples wait; what comes beyond is dropped and counted, as the next one comes in 10 s.
 * - What the store did not take, since it was full, busy or away, waits again, within the same bound.
 */
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { figuresWithMax, figuresWithMin, healthFigures } from '#fleet-server/health/health-figures.ts';
import { HealthRollUp } from '#fleet-server/health/health-roll-up.ts';
import * as store from '#fleet-server/health/health-store.ts';
import { planChart, resolutions } from '#fleet-server/health/resolution.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database, HealthSamplesTable } from '#fleet-server/store/schema.ts';
import type { SoundFigures } from '#protocol/media.ts';
import type { Health, HealthBacklog } from '#protocol/messages.ts';
import type { HealthHistory, HealthSample } from '#protocol/model/device.ts';

export type HealthSamplesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  isKnown(deviceId: string): boolean;
  /** Whether this server does what is done at one alone. */
  isLeader(): boolean;
  /** Others read the same store, and know nothing of what waits here: it waits a second. */
  readonly isAlone: boolean;
};

type Waiting = { readonly sinceMs: number; readonly samples: HealthSamplesTable[] };

const flushMs = 1000;
/** So long the first waits for those that follow; what a killed server loses of a chart. Less than the roll-up gives it (health-roll-up.ts). */
const aloneGatherMs = 20_000;
const maxWaiting = 60_000;
const rollUpMs = 60_000;

export class HealthSamples {
  readonly #options: HealthSamplesOptions;
  /** Of each device; whose first came first is the first. */
  readonly #waiting = new Map<string, Waiting>();
  #waitingCount = 0;
  #dropped = 0;
  readonly #rollUp: HealthRollUp;
  #isStopping = false;
  #work: Promise<void> | null = null;
  #rollUpWork: Promise<void> | null = null;
  #cancels: (() => void)[] = [];

  constructor(options: HealthSamplesOptions) {
    this.#options = options;
    this.#rollUp = new HealthRollUp(options);
  }

  start(): void {
    const { clock, isLeader } = this.#options;
    this.#cancels = [
      clock.every(flushMs, () => this.#flushInBackground()),
      clock.every(rollUpMs, () => isLeader() && this.#rollUpInBackground()),
    ];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.#isStopping = true;
    await Promise.all([this.#work, this.#rollUpWork]);
    await this.flush();
  }

  onHealth(deviceId: string, health: Health): void {
    this.#put({
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
      if (ageMs >= resolutions.raw.keptMs) continue;
      this.#put({ deviceId, atMs: nowMs - ageMs, audioRmsDbfs: null, audioVideoDriftMs: null, ...figures });
    }
  }

  #put(sample: HealthSamplesTable): void {
    if (this.#waitingCount >= maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waitingCount += 1;
    const waiting = this.#waiting.get(sample.deviceId);
    if (waiting === undefined) this.#waiting.set(sample.deviceId, { sinceMs: this.#options.clock.monotonicMs(), samples: [sample] });
    else waiting.samples.push(sample);
  }

  async #store(samples: readonly HealthSamplesTable[]): Promise<void> {
    if (samples.length === 0) return;
    try {
      await store.insertSamples(this.#options.database, samples);
    } catch (cause) {
      // Anything else is a fault of what was to be stored, and stays one.
      if (cause instanceof FleetError) for (const sample of samples) this.#put(sample);
      else this.#dropped += samples.length;
      throw cause;
    }
  }

  #takeOf(deviceId: string): readonly HealthSamplesTable[] {
    const samples = this.#waiting.get(deviceId)?.samples ?? [];
    this.#waiting.delete(deviceId);
    this.#waitingCount -= samples.length;
    // It may have been removed since.
    return this.#options.isKnown(deviceId) ? samples : [];
  }

  /** Writes all that waits, or what has waited for `gatherMs`. */
  async flush(gatherMs = 0): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const samples: HealthSamplesTable[] = [];
    for (const [deviceId, { sinceMs }] of this.#waiting) {
      if (nowMs - sinceMs < gatherMs) break;
      samples.push(...this.#takeOf(deviceId));
    }
    await this.#store(samples);
    if (this.#dropped > 0) log.warn({ dropped: this.#dropped }, 'health samples were dropped: the store is too slow, or did not take them');
    this.#dropped = 0;
  }

  /** Also done by itself, at the server that leads. */
  async rollUp(): Promise<void> {
    await this.#rollUp.run(() => !this.#isStopping && this.#options.isLeader());
  }

  async query(query: {
    readonly deviceId: string;
    readonly fromMs: number;
    readonly toMs: number;
    readonly stepS: number;
  }): Promise<HealthHistory> {
    const { database, clock, log } = this.#options;
    const plan = planChart(query, clock.nowMs());
    await this.#store(this.#takeOf(query.deviceId)).catch((err: unknown) =>
      log.error({ err, deviceId: query.deviceId }, 'health samples could not be stored'),
    );
    const rows = await store.chart(database, query.deviceId, plan);
    return { stepS: plan.stepS, samples: rows.map(sampleOf) };
  }

  /** One at a time: a disk that hangs must not gather work behind it. */
  #flushInBackground(): void {
    if (this.#work !== null) return;
    this.#work = this.flush(this.#options.isAlone ? aloneGatherMs : 0)
      .catch((err: unknown) => this.#options.log.error({ err }, 'health samples could not be stored'))
      .finally(() => {
        this.#work = null;
      });
  }

  #rollUpInBackground(): void {
    if (this.#rollUpWork !== null) return;
    this.#rollUpWork = this.rollUp()
      .catch((err: unknown) => this.#options.log.error({ err }, 'health samples could not be rolled up; tried again in a minute'))
      .finally(() => {
        this.#rollUpWork = null;
      });
  }
}

function sampleOf(row: store.ChartRow): HealthSample {
  const pick = <F extends string, S extends string>(figures: readonly F[], suffix: S, from: Record<`${F}${S}`, number | null>) =>
    Object.fromEntries(figures.map((figure) => [figure, from[`${figure}${suffix}`]])) as Record<F, number | null>;
  return {
    at: timestamp(row.atMs),
    ...pick(healthFigures, '', row),
    min: pick(figuresWithMin, 'Min', row),
    max: pick(figuresWithMax, 'Max', row),
  };
}

function loudestDbfs(sound: SoundFigures | undefined): number | null {
  return sound === undefined ? null : Math.max(...sound.channels.map(({ rmsDbfs }) => rmsDbfs));
}
