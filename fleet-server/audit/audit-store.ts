/** The audit log in the store: rows are added and, past a bound, the oldest go. Nothing changes one. */
import type { AuditLogTable, Database } from '#fleet-server/store/schema.ts';

export type AuditRow = Omit<AuditLogTable, 'id'>;

export async function insertAuditRow(database: Database, row: AuditRow): Promise<void> {
  await database.insertInto('auditLog').values(row).execute();
}

export type AuditQuery = { readonly before: number | null; readonly subject: string | null; readonly limit: number };

/** Newest first; one more than `limit` when there are older ones. */
export function auditRows(database: Database, { before, subject, limit }: AuditQuery): Promise<(AuditRow & { readonly id: number })[]> {
  let query = database.selectFrom('auditLog').selectAll();
  if (before !== null) query = query.where('id', '<', before);
  if (subject !== null) query = query.where('subject', '=', subject);
  return query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
}

export async function pruneAuditRows(database: Database, keep: number): Promise<void> {
  const newest = await database.selectFrom('auditLog').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  if (newest === undefined || newest.id <= keep) return;
  await database
    .deleteFrom('auditLog')
    .where('id', '<=', newest.id - keep)
    .execute();
}
