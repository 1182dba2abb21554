/** Maintenance windows in the store. */
import type { Database, MaintenanceWindowsTable } from '#fleet-server/store/schema.ts';
import type { MaintenanceRequest } from '#protocol/model/maintenance.ts';

/** The newest first. */
export function listWindows(database: Database): Promise<MaintenanceWindowsTable[]> {
  return database.selectFrom('maintenanceWindows').selectAll().orderBy('createdAtMs', 'desc').orderBy('id').execute();
}

export async function insertWindow(database: Database, row: MaintenanceWindowsTable): Promise<void> {
  await database.insertInto('maintenanceWindows').values(row).execute();
}

export function findWindow(database: Database, id: string): Promise<MaintenanceWindowsTable | undefined> {
  return database.selectFrom('maintenanceWindows').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function updateWindow(
  database: Database,
  { id, level, scope, document, overAtMs }: Omit<MaintenanceWindowsTable, 'createdAtMs' | 'createdBy'>,
): Promise<void> {
  await database.updateTable('maintenanceWindows').set({ level, scope, document, overAtMs }).where('id', '=', id).execute();
}

/** Undefined: there was none. */
export function deleteWindow(database: Database, id: string): Promise<MaintenanceWindowsTable | undefined> {
  return database.deleteFrom('maintenanceWindows').where('id', '=', id).returningAll().executeTakeFirst();
}

/** Those whose last moment was before. */
export async function pruneWindows(database: Database, beforeMs: number): Promise<void> {
  await database.deleteFrom('maintenanceWindows').where('overAtMs', '<', beforeMs).execute();
}

/** Those that are open or to come. */
export async function countOfGroup(database: Database, group: string, nowMs: number): Promise<number> {
  const { count } = await database
    .selectFrom('maintenanceWindows')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('level', '=', 'group')
    .where('scope', '=', group)
    .where((e) => e.or([e('overAtMs', 'is', null), e('overAtMs', '>', nowMs)]))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Also those that are over, as they are still looked at. */
export async function renameGroup(database: Database, from: string, to: string): Promise<void> {
  const rows = await database
    .selectFrom('maintenanceWindows')
    .select(['id', 'document'])
    .where('level', '=', 'group')
    .where('scope', '=', from)
    .execute();
  for (const { id, document } of rows) {
    const renamed = withGroupRenamed(JSON.parse(document) as MaintenanceRequest, from, to);
    await database
      .updateTable('maintenanceWindows')
      .set({ scope: to, document: JSON.stringify(renamed) })
      .where('id', '=', id)
      .execute();
  }
}

export function withGroupRenamed<T extends Pick<MaintenanceRequest, 'scope'>>(request: T, from: string, to: string): T {
  const { scope } = request;
  return scope.kind === 'group' && scope.name === from ? { ...request, scope: { ...scope, name: to } } : request;
}
