/**
 * Rolls samples up, by the minute and by the hour, and deletes what is older than each is kept.
 *
 * INVARIANTS
 * - What is rolled up and how far that went is written in one transaction: it may end at any point and goes on where it was.
 * - A minute is written anew from all its samples, an hour from all its minutes: twice is as once.
 * - Samples are deleted only when they were rolled up, and an hour later than the oldest that is still taken in
 *   (health-samples.ts): a minute is never written anew from a part of it.
 * - A transaction takes a bounded part of the work, so that nobody waits long for the store.
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
const lateAtOnce = 500;
/** Rows a deletion takes at once, and how many deletions are done at a time: three times what a thousand devices write in a minute. */
const pruneRows = 5000;
const pruneRounds = 4;

export class HealthRollUp {
  readonly #database: Database;
  readonly #clock: Clock;
  #prunedRollUpsAtMs = 0;

  constructor(options: { readonly database: Database; readonly clock: Clock }) {
    this.#database = options.database;
    this.#clock = options.clock;
  }

  /** `mayGoOn` is asked between two transactions. */
  async run(mayGoOn: () => boolean = () => true): Promise<void> {
    while (mayGoOn() && (await this.#nextMinutes()));
    while (mayGoOn() && (await this.#nextLate()));
    while (mayGoOn() && (await this.#nextHours()));
    if (mayGoOn()) await this.#prune(mayGoOn);
  }

  /** True when there is more to do. */
  #nextMinutes(): Promise<boolean> {
    const targetMs = floor(this.#clock.nowMs() - settleMs, minuteMs);
    return inTransaction(this.#database, async (transaction) => {
      const upToMs = await progressOf(transaction, 'minutes');
      if (upToMs >= targetMs) return false;
      const firstMs = await store.firstSampleMs(transaction, upToMs);
      const fromMs = Math.min(floor(firstMs ?? targetMs, minuteMs), targetMs);
      const toMs = Math.min(fromMs + minutesAtOnce * minuteMs, targetMs);
      if (fromMs < toMs) await store.rollUpMinutes(transaction, { fromMs, toMs });
      await store.setProgress(transaction, 'minutes', toMs);
      return toMs < targetMs;
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
        await store.rollUpMinutes(transaction, span, deviceId);
        const hours = { fromMs: floor(span.fromMs, hourMs), toMs: Math.min(floor(span.toMs - 1, hourMs) + hourMs, hoursUpToMs) };
        if (hours.fromMs < hours.toMs) await store.rollUpHours(transaction, hours, deviceId);
        await store.forgetLate(transaction, deviceId, span);
      }
      return late.length === lateAtOnce;
    });
  }

  #nextHours(): Promise<boolean> {
    return inTransaction(this.#database, async (transaction) => {
      const targetMs = floor(await progressOf(transaction, 'minutes'), hourMs);
      const upToMs = await progressOf(transaction, 'hours');
      if (upToMs >= targetMs) return false;
      // At the very first there are only the samples of a day and of the hour beyond.
      const fromMs = upToMs === 0 ? targetMs - 2 * resolutions.raw.keptMs : upToMs;
      const toMs = Math.min(fromMs + hoursAtOnce * hourMs, targetMs);
      await store.rollUpHours(transaction, { fromMs, toMs });
      await store.setProgress(transaction, 'hours', toMs);
      return toMs < targetMs;
    });
  }

  async #prune(mayGoOn: () => boolean): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const samplesMs = Math.min(floor(nowMs - resolutions.raw.keptMs - hourMs, hourMs), await progressOf(this.#database, 'minutes'));
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
