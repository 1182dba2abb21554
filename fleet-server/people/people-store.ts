/** People and their sessions in the store. */
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database, PeopleTable, SessionsTable } from '#fleet-server/store/schema.ts';

export async function countPeople(database: Database): Promise<number> {
  const row = await database
    .selectFrom('people')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export function findPerson(database: Database, name: string): Promise<PeopleTable | undefined> {
  return database.selectFrom('people').selectAll().where('name', '=', name).executeTakeFirst();
}

/** Answers whether the person is new. */
export async function insertPerson(database: Database, person: PeopleTable): Promise<boolean> {
  const result = await database
    .insertInto('people')
    .values(person)
    .onConflict((c) => c.column('name').doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export function listPeople(database: Database): Promise<PeopleTable[]> {
  return database.selectFrom('people').selectAll().orderBy('name').execute();
}

export async function setRole(database: Database, name: string, role: string): Promise<void> {
  await database.updateTable('people').set({ role }).where('name', '=', name).execute();
}

/** With sessions and access tokens, which refer to the person. */
export async function deletePerson(database: Database, name: string): Promise<void> {
  await database.deleteFrom('people').where('name', '=', name).execute();
}

export async function countOthersWithRole(database: Database, role: string, name: string): Promise<number> {
  const row = await database
    .selectFrom('people')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('role', '=', role)
    .where('name', '!=', name)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function setPasswordHash(database: Database, name: string, passwordHash: string): Promise<void> {
  await database.updateTable('people').set({ passwordHash }).where('name', '=', name).execute();
}

export async function insertSession(database: Database, session: SessionsTable): Promise<void> {
  await database.insertInto('sessions').values(session).execute();
}

/** Of each request of a page. */
const selectSession = prepared<{ tokenHash: string }>('tokenHash')((database, { tokenHash }) =>
  database
    .selectFrom('sessions')
    .innerJoin('people', 'people.name', 'sessions.personName')
    .select(['people.name', 'people.role', 'sessions.lastUsedAtMs', 'sessions.expiresAtMs'])
    .where('sessions.tokenHash', '=', tokenHash),
);

export async function findSession(
  database: Database,
  tokenHash: string,
): Promise<{ name: string; role: string; lastUsedAtMs: number; expiresAtMs: number } | undefined> {
  return (await selectSession(database, { tokenHash })).rows[0];
}

export async function touchSession(
  database: Database,
  tokenHash: string,
  times: Pick<SessionsTable, 'lastUsedAtMs' | 'expiresAtMs'>,
): Promise<void> {
  await database.updateTable('sessions').set(times).where('tokenHash', '=', tokenHash).execute();
}

export async function deleteSession(database: Database, tokenHash: string): Promise<void> {
  await database.deleteFrom('sessions').where('tokenHash', '=', tokenHash).execute();
}

export async function deleteSessionsOf(database: Database, personName: string): Promise<void> {
  await database.deleteFrom('sessions').where('personName', '=', personName).execute();
}

/**
 * Keeps the newest `keep` sessions of a person, and none that is over. Those that the clock has yet to reach were made while it was ahead, and are
 * older than what was made since: they go first.
 */
export async function pruneSessions(
  database: Database,
  bounds: { readonly personName: string; readonly keep: number; readonly nowMs: number; readonly idleSinceMs: number },
): Promise<void> {
  await database
    .deleteFrom('sessions')
    .where((e) => e.or([e('expiresAtMs', '<', bounds.nowMs), e('lastUsedAtMs', '<', bounds.idleSinceMs)]))
    .execute();
  const kept = database
    .selectFrom('sessions')
    .select('tokenHash')
    .where('personName', '=', bounds.personName)
    .orderBy((e) => e('createdAtMs', '>', bounds.nowMs))
    .orderBy('createdAtMs', 'desc')
    .limit(bounds.keep);
  await database.deleteFrom('sessions').where('personName', '=', bounds.personName).where('tokenHash', 'not in', kept).execute();
}
