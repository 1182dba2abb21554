/**
 * What happened to a device: what it said itself, what the server, the watchdog and people did.
 *
 * INVARIANTS
 * - An event of a device is stored once, and acknowledged only when it is stored.
 * - A device has at most `maxEntries` entries of each origin; the oldest go first. What it says itself pushes out nothing that others did to it.
 * - Entries stand in the order in which they happened, also those that were told late: see happened-at.ts.
 */
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { contiguousUpTo } from '#fleet-server/history/contiguous.ts';
import { happenedAtMs, type ToldTimes } from '#fleet-server/history/happened-at.ts';
import { readHistoryCursor, writeHistoryCursor } from '#fleet-server/history/history-cursor.ts';
import * as store from '#fleet-server/history/history-store.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Session } from '#protocol/identifiers.ts';
import type { Event } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';
import { type History, type HistoryKinds, type HistoryOrigin, historyOrigins } from '#protocol/model/history.ts';

export type NewHistoryEntry = {
  readonly deviceId: string;
  readonly origin: HistoryOrigin;
  /** Lower-case words joined by hyphens. */
  readonly kind: string;
  /** A sentence for people, without secrets; cut at 500 characters. */
  readonly detail: string;
};

export type DeviceHistoryOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  acknowledge(deviceId: string, upToNumber: number): Promise<unknown>;
  publishChange(change: Change): void;
};

/** Two thousand in all. */
const maxEntries: Readonly<Record<HistoryOrigin, number>> = { device: 1000, server: 600, watchdog: 200, person: 200 };
/** Pruning each time would read the table for each entry: the bound may be passed by this much. */
const pruneEvery = 50;
const maxDetailLength = 500;
/** A device that goes on sending what cannot be read has an entry for it once in this time. */
const problemGapMs = 60_000;

/** A time may fit its pattern and still be none, such as the 40th of a month. */
function readTime(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function originOf(text: string): HistoryOrigin {
  return historyOrigins.find((known) => known === text) ?? 'server';
}

/** What an event comes in. */
export type EventFrame = { readonly session: Session; readonly sentAt: string };

export type HistoryRequest = {
  readonly origin?: HistoryOrigin | undefined;
  readonly kind?: string | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
};

export class DeviceHistory {
  readonly #options: DeviceHistoryOptions;
  /** By origin and device. */
  readonly #appendedSincePrune = new Map<string, number>();
  readonly #firstOfSession = new Map<string, { readonly session: string; readonly number: number }>();
  readonly #problems = new Map<string, { readonly atMs: number; unsaid: number }>();

  constructor(options: DeviceHistoryOptions) {
    this.#options = options;
  }

  /** Never rejects: an entry that cannot be stored is logged. */
  async append(entry: NewHistoryEntry): Promise<void> {
    const { database, clock, log } = this.#options;
    // Now, however long the store lets it wait.
    const row = rowOf(entry, clock.nowMs());
    try {
      // That each device of a fleet has come is written with that of all others: see inTransaction.
      await inTransaction(database, (transaction) => this.#insert(transaction, row));
      this.#tell(entry.deviceId);
    } catch (err) {
      log.error({ err, deviceId: entry.deviceId, kind: entry.kind }, 'a history entry could not be stored');
    }
  }

  /** In a transaction of the caller's, with what it tells of, and who then publishes the change; rejects when it cannot be stored. */
  async appendIn(transaction: Database, entry: NewHistoryEntry): Promise<void> {
    await this.#insert(transaction, rowOf(entry, this.#options.clock.nowMs()));
  }

  #tell(deviceId: string): void {
    this.#options.publishChange({ subject: 'device-history', deviceId });
  }

  /** Something that a device sent could not be read. Bounded: what comes within a minute is counted and summed up. */
  async appendProblem(deviceId: string, problem: { readonly code: string; readonly message: string }): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const last = this.#problems.get(deviceId);
    if (last !== undefined && nowMs - last.atMs < problemGapMs) {
      last.unsaid += 1;
      return;
    }
    this.#problems.set(deviceId, { atMs: nowMs, unsaid: 0 });
    const more = last === undefined || last.unsaid === 0 ? '' : ` (and ${last.unsaid} more before it)`;
    await this.append({ deviceId, origin: 'server', kind: 'protocol-problem', detail: `${problem.code}: ${problem.message}${more}` });
  }

  /** Stores an event of the device, then acknowledges all that are stored without a gap. Rejects when it cannot be stored. */
  async onEvent(deviceId: string, frame: EventFrame, event: Event): Promise<void> {
    const { database, clock, log } = this.#options;
    const session = `${frame.session.bootId} ${frame.session.counter}`;
    const known = this.#firstOfSession.get(deviceId);
    // What is below the oldest event that it still has is gone from it, or was acknowledged. A device that does not name it sends it first:
    // remembered for the whole session, as the first may fail to be stored, and come again after others. (On a wire that is shared
    // another server may have got the first.)
    const first = event.oldestNumber ?? (known?.session === session ? Math.min(known.number, event.number) : event.number);
    this.#firstOfSession.set(deviceId, { session, number: first });
    const told = { atMs: readTime(event.at), sentAtMs: readTime(frame.sentAt), arrivedAtMs: clock.nowMs() };
    const stored = await inTransaction(database, (transaction) => this.#storeEvent(transaction, deviceId, event, { first, told }));
    if (stored === null) return;
    if (stored.isNew) this.#tell(deviceId);
    const acknowledged = this.#options.acknowledge(deviceId, stored.upTo);
    acknowledged.catch((err: unknown) => log.warn({ err, deviceId }, 'an event could not be acknowledged'));
  }

  /** `first`: below it no event comes any more. Null: there is no such device. */
  async #storeEvent(
    transaction: Database,
    deviceId: string,
    event: Event,
    { first, told }: { readonly first: number; readonly told: ToldTimes },
  ): Promise<{ readonly upTo: number; readonly isNew: boolean } | null> {
    const marks = await store.eventMarks(transaction, deviceId);
    if (marks === undefined) return null;
    const { upTo, highest, highestAtMs, joinedAtMs } = marks;
    // What is below the mark was stored before; it may have been pruned since and must not come back.
    if (event.number <= upTo) return { upTo, isNew: false };
    const { kind, detail, number: deviceNumber } = event;
    // Nearly always it is the newest of all.
    const around =
      deviceNumber > highest ? { beforeMs: highestAtMs, afterMs: null } : await store.eventsAround(transaction, deviceId, deviceNumber);
    const atMs = happenedAtMs(told, { ...around, joinedAtMs });
    const row = { deviceId, origin: 'device', kind, detail, atMs, arrivedAtMs: told.arrivedAtMs, deviceNumber };
    const isNew = await this.#insert(transaction, row);
    const base = Math.max(upTo, first - 1);
    // Nearly always each comes after the other, and there is none above it.
    const above = highest > base ? await store.eventNumbersAbove(transaction, deviceId, base) : [deviceNumber];
    const next = contiguousUpTo(base, above);
    if (next !== upTo) await store.saveEventsUpTo(transaction, deviceId, next);
    return { upTo: next, isNew };
  }

  /** Newest first, a page at a time. */
  async page(deviceId: string, { after, limit, ...match }: HistoryRequest): Promise<History> {
    const place = after === undefined ? null : readHistoryCursor(after);
    const rows = await store.historyRows(this.#options.database, deviceId, { ...match, after: place, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      entries: shown.map(({ id, atMs, arrivedAtMs, origin, kind, detail }) => ({
        id,
        at: timestamp(atMs),
        arrivedAt: timestamp(arrivedAtMs ?? atMs),
        origin: originOf(origin),
        kind,
        detail,
      })),
      next:
        last === undefined || rows.length <= limit
          ? null
          : writeHistoryCursor({ atMs: last.atMs, number: last.deviceNumber ?? 0, id: last.id }),
    };
  }

  /** Which kinds of entries there are, by name. */
  async kinds(deviceId: string): Promise<HistoryKinds> {
    const kinds = await store.historyKinds(this.#options.database, deviceId);
    return {
      kinds: kinds
        .map(({ origin, kind, count }) => ({ origin: originOf(origin), kind, count }))
        .toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
    };
  }

  /** Whether it was not there yet. */
  async #insert(database: Database, row: store.HistoryRow): Promise<boolean> {
    if (!(await store.insertEntry(database, row))) return false;
    const origin = originOf(row.origin);
    const key = `${origin} ${row.deviceId}`;
    const count = (this.#appendedSincePrune.get(key) ?? pruneEvery - 1) + 1;
    this.#appendedSincePrune.set(key, count % pruneEvery);
    if (count >= pruneEvery) await store.pruneHistory(database, row.deviceId, { origin, keep: maxEntries[origin] });
    return true;
  }
}

function rowOf(entry: NewHistoryEntry, atMs: number): store.HistoryRow {
  return { ...entry, detail: entry.detail.slice(0, maxDetailLength), atMs, arrivedAtMs: null, deviceNumber: null };
}
