/** Commands in the store. */
import { sql } from 'kysely';
import { pieces } from '#fleet-server/store/pages.ts';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { CommandsTable, Database } from '#fleet-server/store/schema.ts';

/** The states in which a result may still come. */
const openStates = ['waiting', 'sent'];

/** Its number is the store's to give. */
export type NewCommandRow = Omit<CommandsTable, 'number'>;

/** A statement may carry only so many values on PostgreSQL and on SQLite. */
const rowsAtOnce = 500;

/** At most one of each device. */
export async function insertCommands(database: Database, commands: readonly NewCommandRow[]): Promise<void> {
  for (let from = 0; from < commands.length; from += rowsAtOnce) {
    await database
      .insertInto('commands')
      .values((e) =>
        commands.slice(from, from + rowsAtOnce).map((command) => ({
          ...command,
          number: e
            .selectFrom('commands as earlier')
            .select((earlier) => sql<number>`${earlier.fn.coalesce(earlier.fn.max('earlier.number'), sql<number>`0`)} + 1`.as('next'))
            .where('earlier.deviceId', '=', command.deviceId),
        })),
      )
      .execute();
  }
}

/** Those of these that are in the fleet. */
export async function devicesAmong(database: Database, deviceIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const some of pieces(deviceIds)) {
    const rows = await database.selectFrom('devices').select('id').where('id', 'in', some).execute();
    for (const { id } of rows) found.add(id);
  }
  return found;
}

/** By device. */
export function commandsOfBatch(database: Database, batchId: string): Promise<CommandsTable[]> {
  return database.selectFrom('commands').selectAll().where('batchId', '=', batchId).orderBy('deviceId').execute();
}

/** How many commands each device has that are still to be done; devices without any are absent. */
export async function openCounts(database: Database, nowMs: number): Promise<ReadonlyMap<string, number>> {
  const rows = await database
    .selectFrom('commands')
    .select(['deviceId', (e) => e.fn.countAll<number>().as('count')])
    .where('state', 'in', openStates)
    .where('deadlineMs', '>', nowMs)
    .groupBy('deviceId')
    .execute();
  return new Map(rows.map(({ deviceId, count }) => [deviceId, Number(count)]));
}

export async function deviceIdsOfGroup(database: Database, group: string): Promise<string[]> {
  const rows = await database.selectFrom('devices').select('id').where('groupName', '=', group).orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** Tags stand between spaces, so that one is found by itself (devices/tags.ts). */
export async function deviceIdsWithTag(database: Database, tag: string): Promise<string[]> {
  const rows = await database.selectFrom('devices').select('id').where('tags', 'like', `% ${tag} %`).orderBy('id').execute();
  return rows.map(({ id }) => id);
}

export function findCommand(database: Database, deviceId: string, id: string): Promise<CommandsTable | undefined> {
  return database.selectFrom('commands').selectAll().where('id', '=', id).where('deviceId', '=', deviceId).executeTakeFirst();
}

/** Newest first. */
export function newestCommands(database: Database, deviceId: string, limit: number): Promise<CommandsTable[]> {
  return database.selectFrom('commands').selectAll().where('deviceId', '=', deviceId).orderBy('number', 'desc').limit(limit).execute();
}

const selectOpen = prepared<{ deviceId: string; nowMs: number }>(
  'deviceId',
  'nowMs',
)((database, { deviceId, nowMs }) =>
  database
    .selectFrom('commands')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .where('state', 'in', openStates)
    .where('deadlineMs', '>', nowMs)
    .orderBy('number'),
);

/** Oldest first. */
export async function openCommands(database: Database, deviceId: string, nowMs: number): Promise<CommandsTable[]> {
  return (await selectOpen(database, { deviceId, nowMs })).rows;
}

/** Devices for which something waits that is in time, whether they are there or not. */
export async function waitingDevices(database: Database, nowMs: number): Promise<string[]> {
  const rows = await database
    .selectFrom('commands')
    .select('deviceId')
    .distinct()
    .where('state', '=', 'waiting')
    .where('deadlineMs', '>', nowMs)
    .execute();
  return rows.map(({ deviceId }) => deviceId);
}

/** Of these devices, in time and not yet sent, of each the oldest first; of at most five hundred devices and a thousand commands. */
export function waitingCommands(database: Database, deviceIds: readonly string[], nowMs: number): Promise<CommandsTable[]> {
  return database
    .selectFrom('commands')
    .selectAll()
    .where('deviceId', 'in', deviceIds.slice(0, rowsAtOnce))
    .where('state', '=', 'waiting')
    .where('deadlineMs', '>', nowMs)
    .orderBy('number')
    .limit(1000)
    .execute();
}

/** Asked for longer ago than `afterMs`, sent, still in time and without a result; at most a thousand. */
export function sentCommands(database: Database, nowMs: number, afterMs: number): Promise<CommandsTable[]> {
  return (
    database
      .selectFrom('commands')
      .selectAll()
      .where('state', '=', 'sent')
      .where('deadlineMs', '>', nowMs)
      // What is further ahead of the clock than those of several servers may differ was asked for before it was set back.
      .where((e) => e.or([e('requestedAtMs', '<', nowMs - afterMs), e('requestedAtMs', '>', nowMs + afterMs)]))
      .orderBy('requestedAtMs')
      .limit(1000)
      .execute()
  );
}

export async function markSent(database: Database, id: string): Promise<boolean> {
  const result = await database
    .updateTable('commands')
    .set({ state: 'sent' })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Answers whether it is news: it is not once there is a result, nor when the device has said something later already. */
export async function noteProgress(
  database: Database,
  { id, deviceId, elapsedMs, ...said }: { id: string; deviceId: string; begunAtMs: number; elapsedMs: number; progress: string },
): Promise<boolean> {
  const updated = await database
    .updateTable('commands')
    .set((e) => ({
      state: 'sent',
      elapsedMs,
      progress: said.progress,
      // As it was said first: later words differ by what the network took.
      begunAtMs: e.fn.coalesce('begunAtMs', e.val(said.begunAtMs)),
    }))
    .where('id', '=', id)
    .where('deviceId', '=', deviceId)
    .where('state', 'in', openStates)
    .where((e) => e.or([e('elapsedMs', 'is', null), e('elapsedMs', '<', elapsedMs)]))
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/** Answers whether this was the first result; one that comes after the deadline, or after all, still says what was done. */
export async function finish(
  database: Database,
  result: {
    readonly id: string;
    readonly deviceId: string;
    readonly state: string;
    readonly finishedAtMs: number;
    readonly detail: string;
    readonly lines: string | null;
    readonly recordings: string | null;
  },
): Promise<boolean> {
  const { id, deviceId, ...columns } = result;
  const updated = await database
    .updateTable('commands')
    .set(columns)
    .where('id', '=', id)
    .where('deviceId', '=', deviceId)
    .where('state', 'in', [...openStates, 'expired', 'withdrawn'])
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/** Keeps what the newest `keep` lists of a device's recordings hold. */
export async function forgetOlderLists(database: Database, deviceId: string, keep: number): Promise<void> {
  const lists = database.selectFrom('commands').select('id').where('deviceId', '=', deviceId).where('recordings', 'is not', null);
  await database
    .updateTable('commands')
    .set({ recordings: null })
    .where('deviceId', '=', deviceId)
    .where('recordings', 'is not', null)
    .where('id', 'not in', lists.orderBy('number', 'desc').limit(keep))
    .execute();
}

/** Answers whether it was still waiting: what was sent is the device's business. */
export async function withdraw(database: Database, id: string, nowMs: number, detail: string): Promise<boolean> {
  const result = await database
    .updateTable('commands')
    .set({ state: 'withdrawn', finishedAtMs: nowMs, detail })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The watchdog's, in time and, as far as is known, not begun by the device. */
export function unbegunOfWatchdog(database: Database, nowMs: number): Promise<Pick<CommandsTable, 'id' | 'deviceId' | 'kind'>[]> {
  return database
    .selectFrom('commands')
    .select(['id', 'deviceId', 'kind'])
    .where('state', 'in', openStates)
    .where('deadlineMs', '>', nowMs)
    .where('requestedBy', '=', 'watchdog')
    .where('begunAtMs', 'is', null)
    .execute();
}

/** Also what was sent: a connection may be half open. Answers whether there was no result, and the device had not begun it. */
export async function withdrawUnbegun(database: Database, id: string, nowMs: number, detail: string): Promise<boolean> {
  const result = await database
    .updateTable('commands')
    .set({ state: 'withdrawn', finishedAtMs: nowMs, detail })
    .where('id', '=', id)
    .where('state', 'in', openStates)
    .where('begunAtMs', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Those whose deadline has passed without a result; answers which. */
export function expire(database: Database, nowMs: number, detail: string): Promise<Pick<CommandsTable, 'id' | 'deviceId' | 'kind'>[]> {
  return database
    .updateTable('commands')
    .set({ state: 'expired', finishedAtMs: nowMs, detail })
    .where('state', 'in', openStates)
    .where('deadlineMs', '<=', nowMs)
    .returning(['id', 'deviceId', 'kind'])
    .execute();
}

/** Keeps the newest `keep` commands of a device. */
export async function pruneCommands(database: Database, deviceId: string, keep: number): Promise<void> {
  const kept = database.selectFrom('commands').select('id').where('deviceId', '=', deviceId).orderBy('number', 'desc').limit(keep);
  await database
    .deleteFrom('commands')
    .where('deviceId', '=', deviceId)
    .where('state', 'not in', openStates)
    .where('id', 'not in', kept)
    .execute();
}
