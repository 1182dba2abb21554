/** The history of each device in the store. */
import { type ExpressionBuilder, sql } from 'kysely';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database, HistoryTable, Schema } from '#fleet-server/store/schema.ts';

export type HistoryRow = Omit<HistoryTable, 'id'>;
export type StoredEntry = Pick<HistoryTable, 'atMs' | 'origin' | 'kind' | 'detail'> & { readonly id: number };

const insert = prepared<HistoryRow>(
  'deviceId',
  'deviceNumber',
  'atMs',
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

/** Newest first. */
export function newestEntries(database: Database, deviceId: string, limit: number): Promise<StoredEntry[]> {
  return database
    .selectFrom('history')
    .select(['id', 'atMs', 'origin', 'kind', 'detail'])
    .where('deviceId', '=', deviceId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

const selectMarks = prepared<{ deviceId: string }>('deviceId')((database, { deviceId }) =>
  database
    .selectFrom('devices')
    .select([
      'eventsUpTo',
      (e) =>
        numbersOf(e)
          .select((f) => f.fn.max('history.deviceNumber').as('number'))
          .as('highestNumber'),
    ])
    .where('id', '=', deviceId),
);

function numbersOf(e: ExpressionBuilder<Schema, 'devices'>) {
  return e.selectFrom('history').whereRef('history.deviceId', '=', 'devices.id');
}

/** All events up to `upTo` are stored, and none above `highest`. */
export type EventMarks = { readonly upTo: number; readonly highest: number };

export async function eventMarks(database: Database, deviceId: string): Promise<EventMarks | undefined> {
  const row = (await selectMarks(database, { deviceId })).rows[0];
  return row === undefined ? undefined : { upTo: row.eventsUpTo, highest: Number(row.highestNumber ?? 0) };
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

const selectOldestKept = prepared<{ deviceId: string; newer: number }>(
  'deviceId',
  'newer',
)((database, { deviceId, newer }) =>
  database.selectFrom('history').select('id').where('deviceId', '=', deviceId).orderBy('id', 'desc').offset(newer).limit(1),
);

/** Keeps the newest `keep` entries of a device. */
export async function pruneHistory(database: Database, deviceId: string, keep: number): Promise<void> {
  const oldestKept = (await selectOldestKept(database, { deviceId, newer: keep - 1 })).rows[0];
  if (oldestKept === undefined) return;
  await database.deleteFrom('history').where('deviceId', '=', deviceId).where('id', '<', oldestKept.id).execute();
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
