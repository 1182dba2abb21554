/** Join tokens in the store: only their keyed hash. */
import type { Database, JoinTokensTable } from '#fleet-server/store/schema.ts';

export async function insertJoinToken(database: Database, token: JoinTokensTable): Promise<void> {
  await database.insertInto('joinTokens').values(token).execute();
}

/** Takes one use of a token that is in time and has one left; undefined when there is none such. */
export function takeUse(database: Database, tokenHash: string, nowMs: number): Promise<JoinTokensTable | undefined> {
  return database
    .updateTable('joinTokens')
    .set((e) => ({ usesLeft: e('usesLeft', '-', 1) }))
    .where('tokenHash', '=', tokenHash)
    .where('usesLeft', '>', 0)
    .where('expiresAtMs', '>', nowMs)
    .returningAll()
    .executeTakeFirst();
}

/** Newest first. */
export function listJoinTokens(database: Database): Promise<JoinTokensTable[]> {
  return database.selectFrom('joinTokens').selectAll().orderBy('createdAtMs', 'desc').orderBy('id').execute();
}

export async function deleteJoinToken(database: Database, id: string): Promise<boolean> {
  const result = await database.deleteFrom('joinTokens').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Those that can let nobody in any more. */
export async function pruneJoinTokens(database: Database, nowMs: number): Promise<void> {
  await database
    .deleteFrom('joinTokens')
    .where((e) => e.or([e('usesLeft', '<=', 0), e('expiresAtMs', '<=', nowMs)]))
    .execute();
}

export async function countJoinTokens(database: Database): Promise<number> {
  const row = await database
    .selectFrom('joinTokens')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Those that can still be used. */
export async function countOfGroup(database: Database, group: string, nowMs: number): Promise<number> {
  const row = await database
    .selectFrom('joinTokens')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('groupName', '=', group)
    .where('usesLeft', '>', 0)
    .where('expiresAtMs', '>', nowMs)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function renameGroup(database: Database, from: string, to: string): Promise<void> {
  await database.updateTable('joinTokens').set({ groupName: to }).where('groupName', '=', from).execute();
}
