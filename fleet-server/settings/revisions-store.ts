/** Revisions of the settings of each level in the store. The values of secrets are sealed: they are opened only to be set again. */
import { isSecret, type Scope } from '#fleet-server/settings/settings-store.ts';
import type { Database, SettingsRevisionChangesTable, SettingsRevisionsTable } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { SettingValue } from '#protocol/settings.ts';

/** A bound on what is remembered of each level; the oldest go first. */
const maxKept = 500;
/** What stands for a secret in rows of before secrets were kept. */
const onlyTheWord = 'secret';

export type ValueChange = { readonly key: string; readonly before: SettingValue | null; readonly after: SettingValue | null };
export type NewRevision = Pick<SettingsRevisionsTable, 'changedAtMs' | 'changedBy' | 'comment' | 'undoes'>;
export type StoredRevision = SettingsRevisionsTable & { readonly changes: readonly SettingsRevisionChangesTable[] };

export function sealValue(secrets: Secrets, key: string, value: SettingValue | null): string | null {
  if (value === null) return null;
  const text = JSON.stringify(value);
  return isSecret(key) ? secrets.seal(text) : text;
}

/** `lost`: there was a secret, and no more than that is known. */
export function openValue(secrets: Secrets, key: string, text: string | null): { readonly value: SettingValue | null } | 'lost' {
  if (text === null) return { value: null };
  if (!isSecret(key)) return { value: JSON.parse(text) as SettingValue };
  return text === onlyTheWord ? 'lost' : { value: JSON.parse(secrets.open(text)) as SettingValue };
}

/** Answers its number. */
export async function appendRevision(
  database: Database,
  secrets: Secrets,
  { level, scope }: Scope,
  revision: NewRevision,
  changes: readonly ValueChange[],
): Promise<number> {
  const newest = await database
    .selectFrom('settingsRevisions')
    .select((e) => e.fn.max('number').as('number'))
    .where('level', '=', level)
    .where('scope', '=', scope)
    .executeTakeFirst();
  const number = Number(newest?.number ?? 0) + 1;
  await database
    .insertInto('settingsRevisions')
    .values({ level, scope, number, ...revision })
    .execute();
  const rows = changes.map(({ key, before, after }) => ({
    ...{ level, scope, number, key },
    ...{ before: sealValue(secrets, key, before), after: sealValue(secrets, key, after) },
  }));
  await database.insertInto('settingsRevisionChanges').values(rows).execute();
  for (const table of ['settingsRevisions', 'settingsRevisionChanges'] as const) {
    await database
      .deleteFrom(table)
      .where('level', '=', level)
      .where('scope', '=', scope)
      .where('number', '<=', number - maxKept)
      .execute();
  }
  return number;
}

export type RevisionQuery = { readonly limit: number; readonly before: number | null };

/** Newest first; one more than `limit` when there are older ones. */
export async function revisionsOf(database: Database, { level, scope }: Scope, query: RevisionQuery): Promise<StoredRevision[]> {
  let rows = database.selectFrom('settingsRevisions').selectAll().where('level', '=', level).where('scope', '=', scope);
  if (query.before !== null) rows = rows.where('number', '<', query.before);
  const revisions = await rows
    .orderBy('number', 'desc')
    .limit(query.limit + 1)
    .execute();
  const [newest, oldest] = [revisions[0], revisions.at(-1)];
  if (newest === undefined || oldest === undefined) return [];
  const changes = await database
    .selectFrom('settingsRevisionChanges')
    .selectAll()
    .where('level', '=', level)
    .where('scope', '=', scope)
    .where('number', '>=', oldest.number)
    .where('number', '<=', newest.number)
    .orderBy('key')
    .execute();
  return revisions.map((revision) => ({ ...revision, changes: changes.filter(({ number }) => number === revision.number) }));
}

export async function findRevision(database: Database, where: Scope, number: number): Promise<StoredRevision | undefined> {
  const [revision] = await revisionsOf(database, where, { limit: 1, before: number + 1 });
  return revision?.number === number ? revision : undefined;
}

/** Which of the keys later revisions changed, and in which. */
export function changesSince(
  database: Database,
  { level, scope }: Scope,
  number: number,
  keys: readonly string[],
): Promise<Pick<SettingsRevisionChangesTable, 'key' | 'number'>[]> {
  return database
    .selectFrom('settingsRevisionChanges')
    .select(['key', 'number'])
    .where('level', '=', level)
    .where('scope', '=', scope)
    .where('number', '>', number)
    .where('key', 'in', [...keys])
    .orderBy('number')
    .execute();
}

/**
 * The revisions of a group under its new name. Where there were some under that name, of a group that is no more, they stay as the older ones, and
 * the numbers go on from them: answers by how much each is greater than it was.
 */
export async function renameRevisions(database: Database, from: string, to: string): Promise<number> {
  const newest = await database
    .selectFrom('settingsRevisions')
    .select((e) => e.fn.max('number').as('number'))
    .where('level', '=', 'group')
    .where('scope', '=', to)
    .executeTakeFirst();
  const added = Number(newest?.number ?? 0);
  await database
    .updateTable('settingsRevisions')
    .set((e) => ({ scope: to, number: e('number', '+', added), undoes: e('undoes', '+', added) }))
    .where('level', '=', 'group')
    .where('scope', '=', from)
    .execute();
  await database
    .updateTable('settingsRevisionChanges')
    .set((e) => ({ scope: to, number: e('number', '+', added) }))
    .where('level', '=', 'group')
    .where('scope', '=', from)
    .execute();
  return added;
}
