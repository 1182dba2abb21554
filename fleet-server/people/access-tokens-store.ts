/** Access tokens in the store, by their keyed hash. */
import type { AccessTokensTable, Database } from '#fleet-server/store/schema.ts';

export async function insertAccessToken(database: Database, row: AccessTokensTable): Promise<void> {
  await database.insertInto('accessTokens').values(row).execute();
}

export function listAccessTokens(database: Database, personName: string | null): Promise<AccessTokensTable[]> {
  const query = database.selectFrom('accessTokens').selectAll().orderBy('createdAtMs', 'desc');
  return (personName === null ? query : query.where('personName', '=', personName)).execute();
}

export async function countAccessTokens(database: Database, personName: string): Promise<number> {
  const row = await database
    .selectFrom('accessTokens')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('personName', '=', personName)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export type FoundToken = Pick<AccessTokensTable, 'id' | 'name' | 'scopes' | 'expiresAtMs' | 'lastUsedAtMs' | 'personName'> & {
  readonly role: string;
};

export function findAccessToken(database: Database, tokenHash: string): Promise<FoundToken | undefined> {
  return database
    .selectFrom('accessTokens')
    .innerJoin('people', 'people.name', 'accessTokens.personName')
    .select([
      'accessTokens.id',
      'accessTokens.name',
      'accessTokens.scopes',
      'accessTokens.expiresAtMs',
      'accessTokens.lastUsedAtMs',
      'accessTokens.personName',
      'people.role',
    ])
    .where('accessTokens.tokenHash', '=', tokenHash)
    .executeTakeFirst();
}

export async function touchAccessToken(database: Database, id: string, lastUsedAtMs: number): Promise<void> {
  await database.updateTable('accessTokens').set({ lastUsedAtMs }).where('id', '=', id).execute();
}

/** The token that is gone now; undefined when there was none. */
export function takeAccessToken(database: Database, id: string, personName: string | null): Promise<AccessTokensTable | undefined> {
  const query = database.deleteFrom('accessTokens').where('id', '=', id).returningAll();
  return (personName === null ? query : query.where('personName', '=', personName)).executeTakeFirst();
}

/** The names of those that are gone now and would still have opened something. */
export async function deleteAccessTokensOf(database: Database, personName: string, nowMs: number): Promise<readonly string[]> {
  const gone = await database.deleteFrom('accessTokens').where('personName', '=', personName).returning(['name', 'expiresAtMs']).execute();
  return gone.filter(({ expiresAtMs }) => Number(expiresAtMs) > nowMs).map(({ name }) => name);
}

export async function pruneAccessTokens(database: Database, nowMs: number): Promise<void> {
  await database.deleteFrom('accessTokens').where('expiresAtMs', '<', nowMs).execute();
}
