/** The history of each device in the store. */
import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database, HistoryTable, Schema } from '#fleet-server/store/schema.ts';

export type HistoryRow = Omit<HistoryTable, 'id'>;
export type StoredEntry = Pick<HistoryTable, 'atMs' | 'arrivedAtMs' | 'origin' | 'kind' | 'detail' | 'deviceNumber'> & {
  readonly id: number;
};

const insert = prepared<HistoryRow>(
  'deviceId',
  'deviceNumber',
  'atMs',
  'arrivedAtMs',
  'origin',
  'kind',
  'detail',
)((database, row) =>
  database
    .insertInto('history')
    .values(row)
    .onConflict((c) => c.columns(['deviceId', 'deviceNumber']).doNothing()),
);

/** Answers whether it is new: a device's event is stored once, however often it comes. */
export async function insertEntry(database: Database, row: HistoryRow): Promise<boolean> {
  return ((await insert(database, row)).numAffectedRows ?? 0n) > 0n;
}

/** An entry's place in the order of its device's history; `number`: the device's own of its event, else 0. */
export type HistoryPlace = { readonly atMs: number; readonly number: number; readonly id: number };

/** Undefined: whichever it is. */
export type HistoryMatch = { readonly origin?: string | undefined; readonly kind?: string | undefined };

/** Of events of one moment the device's own numbers have the last word: they may have overtaken each other on their way. */
const numberOrNone = sql<number>`coalesce("deviceNumber", 0)`;

function newestFirst<Row>(query: SelectQueryBuilder<Schema, 'history', Row>) {
  return query.orderBy('atMs', 'desc').orderBy(numberOrNone, 'desc').orderBy('id', 'desc');
}

/** Newest first; `after` null: from the newest on. */
export function historyRows(
  database: Database,
  deviceId: string,
  { origin, kind, after, limit }: HistoryMatch & { readonly after: HistoryPlace | null; readonly limit: number },
): Promise<StoredEntry[]> {
  let query = database
    .selectFrom('history')
    .select(['id', 'atMs', 'arrivedAtMs', 'origin', 'kind', 'detail', 'deviceNumber'])
    .where('deviceId', '=', deviceId);
  if (origin !== undefined) query = query.where('origin', '=', origin);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (after !== null) {
    const { atMs, number, id } = after;
    // The first of the two is what an index knows.
    query = query.where('atMs', '<=', atMs).where(sql<boolean>`("atMs", ${numberOrNone}, "id") < (${atMs}, ${number}, ${id})`);
  }
  return newestFirst(query).limit(limit).execute();
}

export type KindCount = { readonly origin: string; readonly kind: string; readonly count: number };

/** In no order. */
export async function historyKinds(database: Database, deviceId: string): Promise<KindCount[]> {
  const rows = await database
    .selectFrom('history')
    .select((e) => ['origin', 'kind', e.fn.countAll().as('count')])
    .where('deviceId', '=', deviceId)
    .groupBy(['origin', 'kind'])
    .execute();
  return rows.map(({ origin, kind, count }) => ({ origin, kind, count: Number(count) }));
}

const selectMarks = prepared<{ deviceId: string }>('deviceId')((database, { deviceId }) =>
  database
    .selectFrom('devices')
    .select([
      'eventsUpTo',
      'joinedAtMs',
      (e) => highestOf(e).select('history.deviceNumber').as('highestNumber'),
      (e) => highestOf(e).select('history.atMs').as('highestAtMs'),
    ])
    .where('id', '=', deviceId),
);

function highestOf(e: ExpressionBuilder<Schema, 'devices'>) {
  return e
    .selectFrom('history')
    .whereRef('history.deviceId', '=', 'devices.id')
    .where('history.deviceNumber', 'is not', null)
    .orderBy('history.deviceNumber', 'desc')
    .limit(1);
}

/** All events up to `upTo` are stored, and none above `highest`, which happened at `highestAtMs`; 0 and null: there is none. */
export type EventMarks = {
  readonly upTo: number;
  readonly highest: number;
  readonly highestAtMs: number | null;
  readonly joinedAtMs: number;
};

export async function eventMarks(database: Database, deviceId: string): Promise<EventMarks | undefined> {
  const row = (await selectMarks(database, { deviceId })).rows[0];
  if (row === undefined) return undefined;
  const { eventsUpTo, joinedAtMs, highestNumber, highestAtMs } = row;
  return { upTo: eventsUpTo, highest: Number(highestNumber ?? 0), highestAtMs, joinedAtMs };
}

/** When the stored events with the nearest numbers below and above happened; null where there is none. */
export async function eventsAround(
  database: Database,
  deviceId: string,
  number: number,
): Promise<{ readonly beforeMs: number | null; readonly afterMs: number | null }> {
  const ofDevice = database.selectFrom('history').select('atMs').where('deviceId', '=', deviceId).limit(1);
  const before = await ofDevice.where('deviceNumber', '<', number).orderBy('deviceNumber', 'desc').executeTakeFirst();
  const after = await ofDevice.where('deviceNumber', '>', number).orderBy('deviceNumber', 'asc').executeTakeFirst();
  return { beforeMs: before?.atMs ?? null, afterMs: after?.atMs ?? null };
}

const updateUpTo = prepared<{ deviceId: string; number: number }>(
  'deviceId',
  'number',
)((database, { deviceId, number }) => database.updateTable('devices').set({ eventsUpTo: number }).where('id', '=', deviceId));

export async function saveEventsUpTo(database: Database, deviceId: string, number: number): Promise<void> {
  await updateUpTo(database, { deviceId, number });
}

const selectAbove = prepared<{ deviceId: string; number: number }>(
  'deviceId',
  'number',
)((database, { deviceId, number }) =>
  database
    .selectFrom('history')
    .select('deviceNumber')
    .where('deviceId', '=', deviceId)
    .where('deviceNumber', '>', number)
    .orderBy('deviceNumber')
    .limit(1000),
);

/** Numbers of stored events above `number`, lowest first. */
export async function eventNumbersAbove(database: Database, deviceId: string, number: number): Promise<number[]> {
  const { rows } = await selectAbove(database, { deviceId, number });
  return rows.flatMap(({ deviceNumber }) => (deviceNumber === null ? [] : [deviceNumber]));
}

/** At once; what is left beyond it goes the next time. */
const maxPruned = 1000;

/** Keeps the newest `keep` entries of one origin of a device. */
export async function pruneHistory(
  database: Database,
  deviceId: string,
  { origin, keep }: { readonly origin: string; readonly keep: number },
): Promise<void> {
  await database
    .deleteFrom('history')
    .where('id', 'in', (e) =>
      newestFirst(e.selectFrom('history').select('id').where('deviceId', '=', deviceId).where('origin', '=', origin))
        .limit(maxPruned)
        .offset(keep),
    )
    .execute();
}

/** Entries of the watchdog since then, the oldest first. */
export function watchdogEntriesSince(database: Database, sinceMs: number): Promise<{ deviceId: string; kind: string; atMs: number }[]> {
  return (
    database
      .selectFrom('history')
      .select(['deviceId', 'kind', 'atMs'])
      // As the index has it, and not as a parameter, of which SQLite would not know that it fits.
      .where(sql<boolean>`"origin" = 'watchdog'`)
      .where('atMs', '>=', sinceMs)
      .orderBy('id')
      .execute()
  );
}
