/** Policies of the watchdog in the store: a row for the fleet, one for each group that has its own. */
import type { Database, WatchdogPoliciesTable } from '#fleet-server/store/schema.ts';

export function listPolicies(database: Database): Promise<WatchdogPoliciesTable[]> {
  return database.selectFrom('watchdogPolicies').selectAll().execute();
}

export async function writePolicy(database: Database, row: WatchdogPoliciesTable): Promise<void> {
  const { level, scope, ...columns } = row;
  await database
    .insertInto('watchdogPolicies')
    .values(row)
    .onConflict((c) => c.columns(['level', 'scope']).doUpdateSet(columns))
    .execute();
}

export async function deletePolicy(database: Database, { level, scope }: Pick<WatchdogPoliciesTable, 'level' | 'scope'>): Promise<void> {
  await database.deleteFrom('watchdogPolicies').where('level', '=', level).where('scope', '=', scope).execute();
}

export async function hasGroupPolicy(database: Database, group: string): Promise<boolean> {
  const query = database.selectFrom('watchdogPolicies').select('scope').where('level', '=', 'group').where('scope', '=', group);
  return (await query.executeTakeFirst()) !== undefined;
}

export async function renameGroup(database: Database, from: string, to: string): Promise<void> {
  await database.updateTable('watchdogPolicies').set({ scope: to }).where('level', '=', 'group').where('scope', '=', from).execute();
}
