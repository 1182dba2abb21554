/** Alerts, their rules and channels, and what is still to be told, in the store. */
import type { AlertChannelsTable, AlertNoticesTable, AlertRulesTable, AlertsTable, Database } from '#fleet-server/store/schema.ts';

/** The rest a second later. */
const maxEscalatedAtOnce = 500;

/** Answers whether this is the first time. */
export async function markDone(database: Database, what: string): Promise<boolean> {
  const result = await database
    .insertInto('doneOnce')
    .values({ what })
    .onConflict((c) => c.column('what').doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export function listRules(database: Database): Promise<AlertRulesTable[]> {
  return database.selectFrom('alertRules').selectAll().orderBy('createdAtMs').orderBy('id').execute();
}

export async function insertRule(database: Database, row: AlertRulesTable): Promise<void> {
  await database.insertInto('alertRules').values(row).execute();
}

export async function updateRule(database: Database, id: string, document: string): Promise<boolean> {
  const result = await database.updateTable('alertRules').set({ document }).where('id', '=', id).executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function deleteRule(database: Database, id: string): Promise<boolean> {
  const result = await database.deleteFrom('alertRules').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export function listChannels(database: Database): Promise<AlertChannelsTable[]> {
  return database.selectFrom('alertChannels').selectAll().orderBy('createdAtMs').orderBy('id').execute();
}

export function findChannel(database: Database, id: string): Promise<AlertChannelsTable | undefined> {
  return database.selectFrom('alertChannels').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertChannel(database: Database, row: AlertChannelsTable): Promise<void> {
  await database.insertInto('alertChannels').values(row).execute();
}

export async function updateChannel(
  database: Database,
  id: string,
  columns: Partial<Omit<AlertChannelsTable, 'id' | 'createdAtMs'>>,
): Promise<boolean> {
  const result = await database.updateTable('alertChannels').set(columns).where('id', '=', id).executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** With what was still to be told there. */
export async function deleteChannel(database: Database, id: string): Promise<boolean> {
  const result = await database.deleteFrom('alertChannels').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export function unresolvedAlerts(database: Database): Promise<AlertsTable[]> {
  return database.selectFrom('alerts').selectAll().where('resolvedAtMs', 'is', null).execute();
}

/** Newest first. */
export function newestAlerts(
  database: Database,
  query: { readonly isResolved: boolean | null; readonly limit: number },
): Promise<AlertsTable[]> {
  let rows = database.selectFrom('alerts').selectAll();
  if (query.isResolved !== null) rows = rows.where('resolvedAtMs', query.isResolved ? 'is not' : 'is', null);
  return rows.orderBy('openedAtMs', 'desc').orderBy('id').limit(query.limit).execute();
}

/** Answers whether it is new: of each key one is open at a time. */
export async function insertAlert(database: Database, row: AlertsTable): Promise<boolean> {
  const result = await database
    .insertInto('alerts')
    .values(row)
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export function resolveAlert(database: Database, key: string, resolvedAtMs: number): Promise<AlertsTable | undefined> {
  return database
    .updateTable('alerts')
    .set({ resolvedAtMs })
    .where('key', '=', key)
    .where('resolvedAtMs', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

export function acknowledgeAlert(
  database: Database,
  id: string,
  columns: { readonly acknowledgedAtMs: number; readonly acknowledgedBy: string },
): Promise<AlertsTable | undefined> {
  return database
    .updateTable('alerts')
    .set({ ...columns, escalateAtMs: null })
    .where('id', '=', id)
    .where('resolvedAtMs', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Those that nobody acknowledged in time; they are escalated once. */
export async function escalateDue(database: Database, silenced: ReadonlySet<string>, nowMs: number): Promise<AlertsTable[]> {
  const due = await database
    .selectFrom('alerts')
    .select(['id', 'deviceId'])
    .where('escalateAtMs', '<=', nowMs)
    .where('resolvedAtMs', 'is', null)
    .execute();
  const ids = due.filter(({ deviceId }) => deviceId === null || !silenced.has(deviceId)).map(({ id }) => id);
  if (ids.length === 0) return [];
  return database
    .updateTable('alerts')
    .set({ escalatedAtMs: nowMs, escalateAtMs: null })
    .where('id', 'in', ids.slice(0, maxEscalatedAtOnce))
    .returningAll()
    .execute();
}

export async function addToldChannels(database: Database, id: string, channelIds: readonly string[]): Promise<void> {
  const row = await database.selectFrom('alerts').select('toldChannels').where('id', '=', id).executeTakeFirst();
  if (row === undefined) return;
  const told = new Set([...readToldChannels(row), ...channelIds]);
  await database
    .updateTable('alerts')
    .set({ toldChannels: [...told].join(' ') })
    .where('id', '=', id)
    .execute();
}

export function readToldChannels({ toldChannels }: Pick<AlertsTable, 'toldChannels'>): string[] {
  return toldChannels.split(' ').filter((id) => id !== '');
}

export async function pruneAlerts(database: Database, keep: number): Promise<void> {
  const oldestKept = await database
    .selectFrom('alerts')
    .select('openedAtMs')
    .where('resolvedAtMs', 'is not', null)
    .orderBy('openedAtMs', 'desc')
    .offset(keep)
    .limit(1)
    .executeTakeFirst();
  if (oldestKept === undefined) return;
  await database.deleteFrom('alerts').where('resolvedAtMs', 'is not', null).where('openedAtMs', '<=', oldestKept.openedAtMs).execute();
}

export async function insertNotices(database: Database, rows: readonly AlertNoticesTable[]): Promise<void> {
  if (rows.length > 0)
    await database
      .insertInto('alertNotices')
      .values([...rows])
      .execute();
}

export function dueNotices(database: Database, nowMs: number, limit: number): Promise<AlertNoticesTable[]> {
  return database
    .selectFrom('alertNotices')
    .selectAll()
    .where('nextAttemptAtMs', '<=', nowMs)
    .orderBy('nextAttemptAtMs')
    .limit(limit)
    .execute();
}

/** What has not been tried yet because it was quiet: it is over before anybody was told. */
export function takeUntold(database: Database, alertId: string): Promise<Pick<AlertNoticesTable, 'channelId' | 'event'>[]> {
  return database
    .deleteFrom('alertNotices')
    .where('alertId', '=', alertId)
    .where('event', 'in', ['opened', 'escalated'])
    .where('attempts', '=', 0)
    .returning(['channelId', 'event'])
    .execute();
}

export async function postponeNotice(
  database: Database,
  id: string,
  columns: { readonly attempts: number; readonly nextAttemptAtMs: number },
): Promise<void> {
  await database.updateTable('alertNotices').set(columns).where('id', '=', id).execute();
}

export async function deleteNotice(database: Database, id: string): Promise<void> {
  await database.deleteFrom('alertNotices').where('id', '=', id).execute();
}
