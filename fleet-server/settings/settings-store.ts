/** Settings by level in the store, and the revision of each device. Secrets are sealed here and nowhere else. */
import { sql } from 'kysely';
import { settingsStateColumns } from '#fleet-server/settings/settings-state.ts';
import type { PageStart } from '#fleet-server/store/pages.ts';
import { filled, prepared, preparedForIds, preparedInOrder } from '#fleet-server/store/prepared.ts';
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

/** In one statement. */
const devicesAtOnce = 50;
const contentColumns = ['id', 'groupName', 'keyGeneration', 'waitingSinceMs', 'desiredRevision', 'desiredDigest'] as const;
/** What a device's desired document is made from, and what it was. */
export type ContentRow = Pick<RevisionRow, (typeof contentColumns)[number]>;
const selectContentRows = preparedForIds(devicesAtOnce, (database, ids) =>
  database.selectFrom('devices').select(contentColumns).where('id', 'in', ids),
);
const selectLevelsOfDevices = preparedForIds(devicesAtOnce, (database, ids) =>
  database.selectFrom('settings').selectAll().where('level', '=', 'device').where('scope', 'in', ids),
);

export type DesiredRow = Pick<RevisionRow, 'id' | 'desiredRevision' | 'desiredDigest'>;
const updateDesired = preparedInOrder(devicesAtOnce * 3, (database, places) => {
  const rows = Array.from({ length: devicesAtOnce }, (_, index) => {
    const [id, revision, digest] = places.slice(index * 3);
    return sql`(cast(${id} as text), cast(${revision} as bigint), cast(${digest} as text))`;
  });
  // Both databases call the columns of values so.
  const values = sql<{ column1: string; column2: number; column3: string }>`(values ${sql.join(rows)})`.as('desired');
  return database
    .updateTable('devices')
    .from(values)
    .set((e) => ({ desiredRevision: e.ref('desired.column2'), desiredDigest: e.ref('desired.column3') }))
    .whereRef('devices.id', '=', 'desired.column1');
});

const standingColumns = ['id', 'name', 'waitingSinceMs', 'blockedSinceMs', ...settingsStateColumns] as const;
export type StandingRow = Pick<DevicesTable, (typeof standingColumns)[number]>;

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
  readOfDevices(database: Database, deviceIds: readonly string[]): Promise<StoredSetting[]>;
  /** Of those of these that there are. */
  contentRowsOf(database: Database, deviceIds: readonly string[]): Promise<ContentRow[]>;
  /** As `page`. */
  contentRows(database: Database, where: Scope, after: PageStart): Promise<ContentRow[]>;
  /** Those of one device, of a group, or of all whose ids come after `afterId`, by their ids. */
  page(database: Database, where: Scope, after: PageStart): Promise<PagedRow[]>;
  /** As `page`. */
  standings(database: Database, where: Scope, after: PageStart): Promise<StandingRow[]>;
  /** As `page`, of the devices that have neither taken nor refused what is desired of them. */
  unconfirmed(database: Database, where: Scope, after: PageStart): Promise<RevisionRow[]>;
  saveRevision(database: Database, deviceId: string, columns: RevisionColumns): Promise<void>;
  saveDesired(database: Database, rows: readonly DesiredRow[]): Promise<void>;
};

export function isSecret(key: string): boolean {
  // A key that this version does not know is treated as a secret: nothing is lost by that.
  return !isSettingKey(key) || settingDefinitions[key].secret;
}

function pageOf(database: Database, { level, scope }: Scope, after: PageStart) {
  const query = database.selectFrom('devices').where('id', '>', after.id).orderBy('id').limit(after.limit);
  return level === 'fleet' ? query : query.where(level === 'group' ? 'groupName' : 'id', '=', scope);
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
    readOfDevices: async (database, deviceIds) => (await selectLevelsOfDevices(database, deviceIds)).map(open),
    contentRowsOf: selectContentRows,
    contentRows: (database, where, after) => pageOf(database, where, after).select(contentColumns).execute(),
    page: (database, where, after) => pageOf(database, where, after).select(['id', 'name', 'groupName', 'waitingSinceMs']).execute(),
    standings: (database, where, after) => pageOf(database, where, after).select(standingColumns).execute(),
    unconfirmed: (database, where, after) => {
      return pageOf(database, where, after)
        .select(revisionColumns)
        .whereRef('appliedRevision', '<', 'desiredRevision')
        .whereRef('outcomeRevision', '<', 'desiredRevision')
        .execute();
    },
    saveRevision: async (database, deviceId, columns) => {
      const names = (Object.keys(columns) as (keyof RevisionColumns)[]).toSorted();
      const key = names.join(' ');
      const update = revisionUpdates.get(key) ?? updateOf(names);
      revisionUpdates.set(key, update);
      await update(database, { ...columns, deviceId });
    },
    saveDesired: async (database, rows) => {
      for (let from = 0; from < rows.length; from += devicesAtOnce) {
        const some = filled(rows, from, devicesAtOnce);
        await updateDesired(
          database,
          some.flatMap(({ id, desiredRevision, desiredDigest }) => [id, desiredRevision, desiredDigest]),
        );
      }
    },
  };
}
