/** Settings by level in the store, and the revision of each device. Secrets are sealed here and nowhere else. */
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database, DevicesTable, SettingsTable } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { isSettingKey, type SettingValue, settingDefinitions } from '#protocol/settings.ts';

export type ServerLevel = SettingsTable['level'];
export type Scope = { readonly level: ServerLevel; readonly scope: string };
export type StoredSetting = Scope & {
  readonly key: string;
  readonly value: SettingValue;
  readonly setAtMs: number;
  readonly setBy: string;
};
export type RevisionRow = Pick<
  DevicesTable,
  | 'id'
  | 'groupName'
  | 'keyGeneration'
  | 'waitingSinceMs'
  | 'blockedSinceMs'
  | 'desiredRevision'
  | 'desiredDigest'
  | 'appliedRevision'
  | 'appliedAtMs'
  | 'outcomeRevision'
  | 'outcome'
  | 'refusals'
  | 'driftedSinceMs'
  | 'driftedKeys'
  | 'driftRepairs'
  | 'driftRepairAtMs'
>;

const revisionColumns = [
  'id',
  'groupName',
  'keyGeneration',
  'waitingSinceMs',
  'blockedSinceMs',
  'desiredRevision',
  'desiredDigest',
  'appliedRevision',
  'appliedAtMs',
  'outcomeRevision',
  'outcome',
  'refusals',
  'driftedSinceMs',
  'driftedKeys',
  'driftRepairs',
  'driftRepairAtMs',
] as const;

const selectRevision = prepared<{ deviceId: string }>('deviceId')((database, { deviceId }) =>
  database.selectFrom('devices').select(revisionColumns).where('id', '=', deviceId),
);
const selectLevel = prepared<Scope>(
  'level',
  'scope',
)((database, { level, scope }) => database.selectFrom('settings').selectAll().where('level', '=', level).where('scope', '=', scope));

type RevisionColumns = Partial<Omit<RevisionRow, 'id'>>;
/** One statement for each set of columns that the program's places write: a handful. */
const revisionUpdates = new Map<string, ReturnType<typeof updateOf>>();

function updateOf(names: readonly (keyof RevisionColumns)[]) {
  return prepared<RevisionColumns & { deviceId: string }>(
    'deviceId',
    ...names,
  )((database, { deviceId, ...columns }) => database.updateTable('devices').set(columns).where('id', '=', deviceId));
}

export type PagedRow = Pick<DevicesTable, 'id' | 'name' | 'groupName' | 'waitingSinceMs'>;

export async function countOfGroup(database: Database, group: string): Promise<number> {
  return (await selectLevel(database, { level: 'group', scope: group })).rows.length;
}

export async function renameValues(database: Database, from: string, to: string): Promise<void> {
  await database.updateTable('settings').set({ scope: to }).where('level', '=', 'group').where('scope', '=', from).execute();
}

export type SettingsStore = {
  read(database: Database, where: Scope): Promise<StoredSetting[]>;
  readAll(database: Database, level: ServerLevel): Promise<StoredSetting[]>;
  write(database: Database, setting: StoredSetting): Promise<void>;
  remove(database: Database, where: Scope & { readonly key: string }): Promise<void>;
  revision(database: Database, deviceId: string): Promise<RevisionRow | undefined>;
  /** Of one device, of a group, or of all. */
  revisions(database: Database, where: Scope): Promise<RevisionRow[]>;
  /** Those of one device, of a group, or of all whose ids come after `afterId`, by their ids. */
  page(database: Database, where: Scope, after: { readonly id: string; readonly limit: number }): Promise<PagedRow[]>;
  /** Of all devices, by id. */
  names(database: Database): Promise<ReadonlyMap<string, string>>;
  /** Of those, the devices that have neither taken nor refused what is desired of them. */
  unconfirmed(database: Database, where: Scope): Promise<RevisionRow[]>;
  saveRevision(database: Database, deviceId: string, columns: RevisionColumns): Promise<void>;
};

export function isSecret(key: string): boolean {
  // A key that this version does not know is treated as a secret: nothing is lost by that.
  return !isSettingKey(key) || settingDefinitions[key].secret;
}

export function createSettingsStore(secrets: Secrets): SettingsStore {
  const open = (row: SettingsTable): StoredSetting => {
    const text = isSecret(row.key) ? secrets.open(row.value) : row.value;
    return { ...row, value: JSON.parse(text) as SettingValue };
  };
  return {
    read: async (database, { level, scope }) => {
      return (await selectLevel(database, { level, scope })).rows.map(open);
    },
    readAll: async (database, level) => {
      const rows = await database.selectFrom('settings').selectAll().where('level', '=', level).execute();
      return rows.map(open);
    },
    write: async (database, setting) => {
      const text = JSON.stringify(setting.value);
      const columns = { value: isSecret(setting.key) ? secrets.seal(text) : text, setAtMs: setting.setAtMs, setBy: setting.setBy };
      await database
        .insertInto('settings')
        .values({ level: setting.level, scope: setting.scope, key: setting.key, ...columns })
        .onConflict((c) => c.columns(['level', 'scope', 'key']).doUpdateSet(columns))
        .execute();
    },
    remove: async (database, { level, scope, key }) => {
      await database.deleteFrom('settings').where('level', '=', level).where('scope', '=', scope).where('key', '=', key).execute();
    },
    revision: async (database, deviceId) => (await selectRevision(database, { deviceId })).rows[0],
    revisions: (database, { level, scope }) => {
      const query = database.selectFrom('devices').select(revisionColumns);
      if (level === 'fleet') return query.execute();
      return query.where(level === 'group' ? 'groupName' : 'id', '=', scope).execute();
    },
    page: (database, { level, scope }, after) => {
      const query = database
        .selectFrom('devices')
        .select(['id', 'name', 'groupName', 'waitingSinceMs'])
        .where('id', '>', after.id)
        .orderBy('id')
        .limit(after.limit);
      if (level === 'fleet') return query.execute();
      return query.where(level === 'group' ? 'groupName' : 'id', '=', scope).execute();
    },
    names: async (database) => {
      const rows = await database.selectFrom('devices').select(['id', 'name']).execute();
      return new Map(rows.map(({ id, name }) => [id, name]));
    },
    unconfirmed: (database, { level, scope }) => {
      const query = database
        .selectFrom('devices')
        .select(revisionColumns)
        .whereRef('appliedRevision', '<', 'desiredRevision')
        .whereRef('outcomeRevision', '<', 'desiredRevision');
      if (level === 'fleet') return query.execute();
      return query.where(level === 'group' ? 'groupName' : 'id', '=', scope).execute();
    },
    saveRevision: async (database, deviceId, columns) => {
      const names = (Object.keys(columns) as (keyof RevisionColumns)[]).toSorted();
      const key = names.join(' ');
      const update = revisionUpdates.get(key) ?? updateOf(names);
      revisionUpdates.set(key, update);
      await update(database, { ...columns, deviceId });
    },
  };
}
