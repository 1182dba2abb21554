/** Maintenance windows in the store. */
import type { Database, MaintenanceWindowsTable } from '#fleet-server/store/schema.ts';

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
