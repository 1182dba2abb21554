/**
 * Rolls samples up, by the minute and by the hour, and deletes what is older than each is kept.
 *
 * INVARIANTS
 * - It may end between any two of its transactions, and goes on where it was: how far it has come is written when all devices' part is.
 * - What comes meanwhile for a span that is being rolled up is late, and is rolled up once more (health-store.ts).
 * - A minute is written anew from all its samples, an hour from all its minutes: twice is as once.
 * - Samples are deleted only when they were rolled up, and an hour later than the oldest that is still taken in
 *   (health-samples.ts): a minute is never written anew from a part of it.
 * - A transaction takes a bounded part of the work, so that nobody waits long for the store: of a large fleet a few devices at a time.
 */
import type { Clock } from '#fleet-server/clock.ts';
import * as store from '#fleet-server/health/health-roll-up-store.ts';
import { progressOf } from '#fleet-server/health/health-store.ts';
import { resolutions } from '#fleet-server/health/resolution.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

const minuteMs = resolutions.minutes.bucketMs;
const hourMs = resolutions.hours.bucketMs;
/** Samples wait up to 20 s for their writing (health-samples.ts), and the clocks of several servers differ a little; what comes later is late, and right too. */
const settleMs = 30_000;
const minutesAtOnce = 10;
/** Few, as a busy server does one hour at a time and only one that was away for long does more. */
const hoursAtOnce = 24;
const lateAtOnce = 100;
/** Devices whose minutes are rolled up at once: some milliseconds. */
const devicesAtOnce = 250;
/** Rows a deletion takes at once, and how many deletions are done at a time: three times what ten thousand devices write in a minute. */
const pruneRows = 500;
const pruneRounds = 360;

type MayGoOn = () => boolean;

export class HealthRollUp {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #devicesAtOnce: number;
  #prunedRollUpsAtMs = 0;

  constructor(options: { readonly database: Database; readonly clock: Clock; readonly devicesAtOnce?: number }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#devicesAtOnce = options.devicesAtOnce ?? devicesAtOnce;
  }

  /** `mayGoOn` is asked between two transactions. */
  async run(mayGoOn: MayGoOn = () => true): Promise<void> {
    while (mayGoOn() && (await this.#nextMinutes(mayGoOn)));
    while (mayGoOn() && (await this.#nextLate()));
    while (mayGoOn() && (await this.#nextHours(mayGoOn)));
    if (mayGoOn()) await this.#prune(mayGoOn);
  }

  /** True when there is more to do. */
  async #nextMinutes(mayGoOn: MayGoOn): Promise<boolean> {
    const targetMs = floor(this.#clock.nowMs() - settleMs, minuteMs);
    const begun = await inTransaction(this.#database, async (transaction) => {
      const upToMs = await progressOf(transaction, 'minutes');
      if (upToMs >= targetMs) return null;
      const firstMs = await store.firstSampleMs(transaction, upToMs);
      const fromMs = Math.min(floor(firstMs ?? targetMs, minuteMs), targetMs);
      const toMs = Math.min(fromMs + minutesAtOnce * minuteMs, targetMs);
      const first = fromMs < toMs ? await store.nextSlice(transaction, '', this.#devicesAtOnce) : null;
      if (first === null || first.isLast) {
        // Nothing, or the whole of a small fleet.
        if (first !== null) await store.rollUpMinutes(transaction, { fromMs, toMs }, first);
        await store.setProgress(transaction, 'minutes', toMs);
        return { upToMs, fromMs, toMs, isDone: true };
      }
      await store.setProgress(transaction, 'minutes-begun', Math.max(toMs, await progressOf(transaction, 'minutes-begun')));
      return { upToMs, fromMs, toMs, isDone: false };
    });
    if (begun === null) return false;
    const { upToMs, fromMs, toMs } = begun;
    if (begun.isDone) return toMs < targetMs;
    const isDone = await this.#eachSlice(mayGoOn, (transaction, slice) => store.rollUpMinutes(transaction, { fromMs, toMs }, slice));
    return isDone && (await this.#advance('minutes', upToMs, toMs)) && toMs < targetMs;
  }

  /** False: it may not go on. */
  async #eachSlice(mayGoOn: MayGoOn, work: (transaction: Database, slice: store.DeviceSlice) => Promise<void>): Promise<boolean> {
    for (let afterId: string | null = ''; afterId !== null; ) {
      if (!mayGoOn()) return false;
      const slice = await store.nextSlice(this.#database, afterId, this.#devicesAtOnce);
      if (slice === null) return true;
      await inTransaction(this.#database, (transaction) => work(transaction, slice));
      afterId = slice.isLast ? null : slice.lastId;
    }
    return true;
  }

  /** False: another server has done it meanwhile. */
  #advance(resolution: 'minutes' | 'hours', fromMs: number, toMs: number): Promise<boolean> {
    return inTransaction(this.#database, async (transaction) => {
      if ((await progressOf(transaction, resolution)) !== fromMs) return false;
      await store.setProgress(transaction, resolution, toMs);
      return true;
    });
  }

  #nextLate(): Promise<boolean> {
    return inTransaction(this.#database, async (transaction) => {
      const late = await store.lateMinutes(transaction, lateAtOnce);
      const hoursUpToMs = await progressOf(transaction, 'hours');
      for (const deviceId of new Set(late.map((row) => row.deviceId))) {
        const times = late.filter((row) => row.deviceId === deviceId).map((row) => row.minuteMs);
        // What lies between two late minutes is written as it was.
        const span = { fromMs: Math.min(...times), toMs: Math.max(...times) + minuteMs };
        const slice = { firstId: deviceId, lastId: deviceId };
        await store.rollUpMinutes(transaction, span, slice);
        const hours = { fromMs: floor(span.fromMs, hourMs), toMs: Math.min(floor(span.toMs - 1, hourMs) + hourMs, hoursUpToMs) };
        if (hours.fromMs < hours.toMs) await store.rollUpHours(transaction, hours, slice);
        await store.forgetLate(transaction, deviceId, span);
      }
      return late.length === lateAtOnce;
    });
  }

  async #nextHours(mayGoOn: MayGoOn): Promise<boolean> {
    const targetMs = floor(await progressOf(this.#database, 'minutes'), hourMs);
    const upToMs = await progressOf(this.#database, 'hours');
    if (upToMs >= targetMs) return false;
    // At the very first there are only the samples of a day and of the hour beyond.
    const fromMs = upToMs === 0 ? targetMs - 2 * resolutions.raw.keptMs : upToMs;
    const toMs = Math.min(fromMs + hoursAtOnce * hourMs, targetMs);
    const isDone = await this.#eachSlice(mayGoOn, (transaction, slice) => store.rollUpHours(transaction, { fromMs, toMs }, slice));
    return isDone && (await this.#advance('hours', upToMs, toMs)) && toMs < targetMs;
  }

  async #prune(mayGoOn: MayGoOn): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const samplesMs = Math.min(floor(nowMs - resolutions.raw.keptMs - hourMs, minuteMs), await progressOf(this.#database, 'minutes'));
    for (let round = 0; round < pruneRounds && mayGoOn(); round += 1) {
      if ((await store.pruneSamples(this.#database, samplesMs, pruneRows)) < pruneRows) break;
    }
    if (nowMs - this.#prunedRollUpsAtMs < hourMs) return;
    const before = { minutesMs: nowMs - resolutions.minutes.keptMs, hoursMs: nowMs - resolutions.hours.keptMs };
    for (const deviceId of await store.deviceIds(this.#database)) {
      if (!mayGoOn()) return;
      await store.pruneRollUps(this.#database, deviceId, before);
    }
    this.#prunedRollUpsAtMs = nowMs;
  }
}

function floor(timeMs: number, bucketMs: number): number {
  return Math.floor(timeMs / bucketMs) * bucketMs;
}
