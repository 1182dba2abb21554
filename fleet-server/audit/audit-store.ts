/** The audit log in the store: rows are added, and the oldest go. Nothing changes one. */
import type { AuditLogTable, Database } from '#fleet-server/store/schema.ts';

export type AuditRow = Omit<AuditLogTable, 'id'>;

export async function insertAuditRow(database: Database, row: AuditRow): Promise<void> {
  await database.insertInto('auditLog').values(row).execute();
}

/** Null: whatever it is. */
export type AuditQuery = {
  readonly before: number | null;
  /** One of these. */
  readonly subjects: readonly string[] | null;
  /** A person, with whichever token, too. */
  readonly actor: string | null;
  readonly action: string | null;
  readonly fromMs: number | null;
  /** No more at this moment itself. */
  readonly toMs: number | null;
  readonly limit: number;
};

/** Newest first; one more than `limit` when there are older ones. */
export function auditRows(database: Database, asked: AuditQuery): Promise<(AuditRow & { readonly id: number })[]> {
  const { before, subjects, actor, action, fromMs, toMs, limit } = asked;
  let query = database.selectFrom('auditLog').selectAll();
  if (before !== null) query = query.where('id', '<', before);
  if (subjects !== null) query = query.where('subject', 'in', subjects);
  if (actor !== null) {
    const withToken = `${actor} with the token `;
    query = query.where((e) =>
      e.or([e('actor', '=', actor), e(e.fn('substr', ['actor', e.val(1), e.val(withToken.length)]), '=', withToken)]),
    );
  }
  if (action !== null) query = query.where('action', '=', action);
  if (fromMs !== null) query = query.where('atMs', '>=', fromMs);
  if (toMs !== null) query = query.where('atMs', '<', toMs);
  return query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
}

/** Of these people; who has no sign-in in the log is left out. */
export function lastSignInRows(database: Database, names: readonly string[]): Promise<{ readonly actor: string; readonly atMs: number }[]> {
  return (
    database
      .selectFrom('auditLog')
      .select((e) => ['actor', e.fn.max<number>('atMs').as('atMs')])
      // Who signs in is the subject as well, and for that there is an index.
      .where('subject', 'in', names)
      .where('action', '=', 'signed-in')
      .groupBy('actor')
      .execute()
  );
}

export async function newestId(database: Database): Promise<number | undefined> {
  const row = await database.selectFrom('auditLog').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? undefined : Number(row.id);
}

/** Of the oldest entry since then. Looked for from the oldest on: what is older than a bound is deleted as a rule. */
export async function firstIdSince(database: Database, sinceMs: number): Promise<number | undefined> {
  const row = await database.selectFrom('auditLog').select('id').where('atMs', '>=', sinceMs).orderBy('id').limit(1).executeTakeFirst();
  return row === undefined ? undefined : Number(row.id);
}

/** Answers how many there were. */
export async function deleteRowsBefore(database: Database, id: number): Promise<number> {
  const { numDeletedRows } = await database.deleteFrom('auditLog').where('id', '<', id).executeTakeFirst();
  return Number(numDeletedRows);
}
