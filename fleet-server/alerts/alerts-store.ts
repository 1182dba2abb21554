/** Alerts, their rules and channels, and what is still to be told, in the store. */
import type { ExpressionBuilder } from 'kysely';
import type {
  AlertChannelsTable,
  AlertNoticesTable,
  AlertPendingsTable,
  AlertRulesTable,
  AlertsTable,
  Database,
  DevicesTable,
  Schema,
} from '#fleet-server/store/schema.ts';
import type { AlertNotice, AlertRule } from '#protocol/model/alert.ts';

/** The rest a second later. */
const maxEscalatedAtOnce = 500;

/** In one statement: SQLite takes 32 766 values, PostgreSQL 65 535. */
const maxRowsAtOnce = 1000;

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

/** As they count: without channels that are there no more. */
export async function currentRules(database: Database): Promise<AlertRule[]> {
  const rules = (await listRules(database)).map(({ document }) => JSON.parse(document) as AlertRule);
  const channels = new Set((await database.selectFrom('alertChannels').select('id').execute()).map(({ id }) => id));
  const those = (ids: readonly string[]) => ids.filter((id) => channels.has(id));
  return rules.map(({ escalation, ...rule }) => {
    const further = escalation === null ? [] : those(escalation.channelIds);
    const left = escalation === null || further.length === 0 ? null : { ...escalation, channelIds: further };
    return { ...rule, channelIds: those(rule.channelIds), escalation: left };
  });
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

export async function countUnresolved(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database
    .selectFrom('alerts')
    .select((e) => ['severity', e.fn.countAll<number>().as('count')])
    .where('resolvedAtMs', 'is', null)
    .groupBy('severity')
    .execute();
  return new Map(rows.map(({ severity, count }) => [severity, Number(count)]));
}

export function unresolvedAlerts(database: Database): Promise<AlertsTable[]> {
  return database.selectFrom('alerts').selectAll().where('resolvedAtMs', 'is', null).execute();
}

export async function alertsWithIds(database: Database, ids: readonly string[]): Promise<AlertsTable[]> {
  return ids.length === 0 ? [] : database.selectFrom('alerts').selectAll().where('id', 'in', ids).execute();
}

export type AlertsQuery = {
  readonly isResolved: boolean | null;
  readonly limit: number;
  /** The last of the page before. */
  readonly after: Pick<AlertsTable, 'openedAtMs' | 'id'> | null;
};

/** Newest first. */
export function newestAlerts(database: Database, { isResolved, limit, after }: AlertsQuery): Promise<AlertsTable[]> {
  let rows = database.selectFrom('alerts').selectAll();
  if (isResolved !== null) rows = rows.where('resolvedAtMs', isResolved ? 'is not' : 'is', null);
  if (after !== null) {
    const { openedAtMs, id } = after;
    rows = rows.where((e) => e.or([e('openedAtMs', '<', openedAtMs), e.and([e('openedAtMs', '=', openedAtMs), e('id', '>', id)])]));
  }
  return rows.orderBy('openedAtMs', 'desc').orderBy('id').limit(limit).execute();
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

export async function updateDetail(database: Database, id: string, detail: string): Promise<void> {
  await database.updateTable('alerts').set({ detail }).where('id', '=', id).execute();
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
    .set({ ...columns, escalateInMs: null })
    .where('id', '=', id)
    .where('resolvedAtMs', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Of those that nobody acknowledged in time; each is escalated once. */
export async function escalate(database: Database, ids: readonly string[], nowMs: number): Promise<AlertsTable[]> {
  if (ids.length === 0) return [];
  return database
    .updateTable('alerts')
    .set({ escalatedAtMs: nowMs, escalateInMs: null })
    .where('id', 'in', ids.slice(0, maxEscalatedAtOnce))
    .where('escalateInMs', 'is not', null)
    .where('resolvedAtMs', 'is', null)
    .returningAll()
    .execute();
}

/** Of a rule that had no escalation: what is open waits for somebody from now on. */
export async function beginEscalation(database: Database, ruleId: string, escalateInMs: number): Promise<void> {
  await database
    .updateTable('alerts')
    .set({ escalateInMs })
    .where('ruleId', '=', ruleId)
    .where('resolvedAtMs', 'is', null)
    .where('acknowledgedAtMs', 'is', null)
    .where('escalatedAtMs', 'is', null)
    .execute();
}

/** Of those that are still to be escalated. */
export async function writeEscalateIn(database: Database, ids: readonly string[], escalateInMs: number): Promise<void> {
  for (let start = 0; start < ids.length; start += maxRowsAtOnce) {
    await database
      .updateTable('alerts')
      .set({ escalateInMs })
      .where('id', 'in', ids.slice(start, start + maxRowsAtOnce))
      .where('escalateInMs', 'is not', null)
      .execute();
  }
}

export async function addToldChannels(database: Database, id: string, channelIds: readonly string[]): Promise<void> {
  const row = await database.selectFrom('alerts').select('toldChannels').where('id', '=', id).executeTakeFirst();
  if (row !== undefined) await writeToldChannels(database, id, [...new Set([...readToldChannels(row), ...channelIds])]);
}

export async function writeToldChannels(database: Database, id: string, channelIds: readonly string[]): Promise<void> {
  await database
    .updateTable('alerts')
    .set({ toldChannels: channelIds.join(' ') })
    .where('id', '=', id)
    .execute();
}

/** Of those of these that are there. */
export async function devicesOfAlert(
  database: Database,
  ids: readonly string[],
): Promise<Pick<DevicesTable, 'id' | 'name' | 'groupName' | 'blockedSinceMs'>[]> {
  const found = [];
  for (let start = 0; start < ids.length; start += maxRowsAtOnce) {
    const some = ids.slice(start, start + maxRowsAtOnce);
    found.push(
      ...(await database.selectFrom('devices').select(['id', 'name', 'groupName', 'blockedSinceMs']).where('id', 'in', some).execute()),
    );
  }
  return found;
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

/** Its time has come; or it was made in the future, since the clock was set back, and does not wait for the end of quiet hours. */
function isDue(nowMs: number) {
  return (e: ExpressionBuilder<Schema, 'alertNotices'>) =>
    e.or([
      e('nextAttemptAtMs', '<=', nowMs),
      e.and([e('createdAtMs', '>', nowMs), e.or([e('attempts', '>', 0), e('nextAttemptAtMs', '<=', e.ref('createdAtMs'))])]),
    ]);
}

/** Nothing that came about before of the same alert is still to be told at the same channel. */
function isNext(e: ExpressionBuilder<Schema, 'alertNotices'>) {
  const earlier = e
    .selectFrom('alertNotices as earlier')
    .select('earlier.id')
    .whereRef('earlier.alertId', '=', 'alertNotices.alertId')
    .whereRef('earlier.channelId', '=', 'alertNotices.channelId')
    .whereRef('earlier.event', '!=', 'alertNotices.event')
    .where((and) => and.or([and('earlier.event', '=', 'opened'), and('alertNotices.event', '=', 'resolved')]));
  return e.not(e.exists(earlier));
}

/** `onlyOpened`: nothing that comes after that. */
export type Due = { readonly nowMs: number; readonly onlyOpened: boolean };

function dueNow(database: Database, { nowMs, onlyOpened }: Due) {
  const due = database.selectFrom('alertNotices').where(isDue(nowMs)).where(isNext);
  return onlyOpened ? due.where('event', '=', 'opened') : due;
}

/** Channels at which something is due. */
export async function dueChannels(database: Database, due: Due): Promise<string[]> {
  const rows = await dueNow(database, due).select('channelId').distinct().execute();
  return rows.map(({ channelId }) => channelId);
}

/** Of one channel, oldest first; of each alert what comes next. */
export function dueNotices(database: Database, channelId: string, due: Due, limit: number): Promise<AlertNoticesTable[]> {
  return dueNow(database, due).selectAll().where('channelId', '=', channelId).orderBy('nextAttemptAtMs').limit(limit).execute();
}

/** All that is to be told of these alerts at one channel, due or not. */
export async function waitingNotices(
  database: Database,
  channelId: string,
  alertIds: readonly string[],
  nowMs: number,
): Promise<(AlertNoticesTable & { readonly isDue: boolean })[]> {
  if (alertIds.length === 0) return [];
  const rows = await database
    .selectFrom('alertNotices')
    .selectAll()
    .select((e) => e.case().when(isDue(nowMs)(e)).then(1).else(0).end().as('due'))
    .where('channelId', '=', channelId)
    .where('alertId', 'in', alertIds)
    .execute();
  return rows.map(({ due, ...row }) => ({ ...row, isDue: due === 1 }));
}

/** The rules behind alerts. */
export async function rulesOfAlerts(database: Database, alertIds: readonly string[]): Promise<ReadonlyMap<string, AlertRule>> {
  if (alertIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('alerts')
    .innerJoin('alertRules', 'alertRules.id', 'alerts.ruleId')
    .select(['alerts.id', 'alertRules.document'])
    .where('alerts.id', 'in', alertIds)
    .execute();
  return new Map(rows.map(({ id, document }) => [id, JSON.parse(document) as AlertRule]));
}

/** It is not to be told yet because it is quiet. What only waits for its turn is told all the same. */
function isUntold(nowMs: number) {
  return (e: ExpressionBuilder<Schema, 'alertNotices'>) =>
    e.and([
      e('attempts', '=', 0),
      // What was due at once may have been told: a clock that was set back since does not make it wait.
      e('nextAttemptAtMs', '>', e.ref('createdAtMs')),
      e('nextAttemptAtMs', '>', nowMs),
    ]);
}

/** Of a rule whose quiet hours have changed: what was held by them, and what was tried before they began and waits for their end. */
export async function moveHeld(
  database: Database,
  ruleId: string,
  { formerMs, untilMs, nowMs }: { readonly formerMs: number; readonly untilMs: number; readonly nowMs: number },
): Promise<void> {
  await database
    .updateTable('alertNotices')
    .set({ nextAttemptAtMs: untilMs })
    .where('alertId', 'in', (e) => e.selectFrom('alerts').select('id').where('ruleId', '=', ruleId))
    .where((e) => e.or([e('nextAttemptAtMs', '=', formerMs), isUntold(nowMs)(e)]))
    .execute();
}

/** Alerts that nobody was told of yet because it is quiet. */
export async function untoldAlerts(database: Database, nowMs: number): Promise<string[]> {
  const rows = await database
    .selectFrom('alertNotices')
    .select('alertId')
    .distinct()
    .where('event', '=', 'opened')
    .where(isUntold(nowMs))
    .execute();
  return rows.map(({ alertId }) => alertId);
}

/** What nobody was told of yet, and is not to be told any more. */
export function takeUntold(
  database: Database,
  alertId: string,
  events: readonly AlertNotice['event'][],
  nowMs: number,
): Promise<Pick<AlertNoticesTable, 'channelId' | 'event'>[]> {
  return database
    .deleteFrom('alertNotices')
    .where('alertId', '=', alertId)
    .where('event', 'in', events)
    .where(isUntold(nowMs))
    .returning(['channelId', 'event'])
    .execute();
}

export async function postponeNotice(
  database: Database,
  id: string,
  columns: Pick<AlertNoticesTable, 'attempts' | 'createdAtMs' | 'nextAttemptAtMs'>,
): Promise<void> {
  await database.updateTable('alertNotices').set(columns).where('id', '=', id).execute();
}

export async function deleteNotices(database: Database, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await database.deleteFrom('alertNotices').where('id', 'in', ids).execute();
}

export function listPendings(database: Database): Promise<AlertPendingsTable[]> {
  return database.selectFrom('alertPendings').selectAll().execute();
}

export async function writePendings(
  database: Database,
  { rows, gone }: { readonly rows: readonly AlertPendingsTable[]; readonly gone: readonly string[] },
): Promise<void> {
  for (let start = 0; start < rows.length; start += maxRowsAtOnce) {
    await database
      .insertInto('alertPendings')
      .values(rows.slice(start, start + maxRowsAtOnce))
      .onConflict((c) =>
        c.column('key').doUpdateSet((e) => ({ sinceMs: e.ref('excluded.sinceMs'), gatheredAs: e.ref('excluded.gatheredAs') })),
      )
      .execute();
  }
  for (let start = 0; start < gone.length; start += maxRowsAtOnce) {
    await database
      .deleteFrom('alertPendings')
      .where('key', 'in', gone.slice(start, start + maxRowsAtOnce))
      .execute();
  }
}

export async function countRulesOfGroup(database: Database, group: string): Promise<number> {
  return (await rulesOfGroup(database, group)).length;
}

/** Alerts that are open keep what they are called: it is said of when they began, and by it their recovery is found. */
export async function renameGroupOfRules(database: Database, from: string, to: string): Promise<void> {
  for (const rule of await rulesOfGroup(database, from)) await updateRule(database, rule.id, JSON.stringify({ ...rule, group: to }));
}

async function rulesOfGroup(database: Database, group: string): Promise<AlertRule[]> {
  const rules = (await listRules(database)).map(({ document }) => JSON.parse(document) as AlertRule);
  return rules.filter((rule) => rule.group === group);
}
