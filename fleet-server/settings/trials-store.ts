/** Patches of a level that are in force on some devices only, in the store. */
import type { CheckedPatch } from '#fleet-server/settings/check-patch.ts';
import type { Scope } from '#fleet-server/settings/settings-store.ts';
import { pieces } from '#fleet-server/store/pages.ts';
import { filled, prepared, preparedForIds, preparedInOrder } from '#fleet-server/store/prepared.ts';
import type { Database, SettingsTrialDevicesTable, SettingsTrialsTable } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { SettingValue } from '#protocol/settings.ts';

export type Trial = Omit<SettingsTrialsTable, 'patchSealed'> & { readonly patch: CheckedPatch };
export type TrialWithDevices = Trial & { readonly deviceIds: ReadonlySet<string> };

/** In one statement. */
const idsAtOnce = 50;

function open(secrets: Secrets, { patchSealed, ...row }: SettingsTrialsTable): Trial {
  return { ...row, patch: new Map(JSON.parse(secrets.open(patchSealed)) as [string, SettingValue | null][]) };
}

const selectTrials = prepared()((database) => database.selectFrom('settingsTrials').selectAll().orderBy('startedAtMs').orderBy('id'));

export async function allTrials(database: Database, secrets: Secrets): Promise<Trial[]> {
  return (await selectTrials(database, {})).rows.map((row) => open(secrets, row));
}

const selectTrialDevices = preparedForIds(idsAtOnce, (database, ids) =>
  database.selectFrom('settingsTrialDevices').selectAll().where('deviceId', 'in', ids),
);

/** With those of these devices that they are in force on. */
export async function trialsWithDevices(database: Database, secrets: Secrets, deviceIds: readonly string[]): Promise<TrialWithDevices[]> {
  const trials = await allTrials(database, secrets);
  if (trials.length === 0) return [];
  const devices = new Map(trials.map(({ id }) => [id, new Set<string>()]));
  for (const row of await selectTrialDevices(database, deviceIds)) devices.get(row.trialId)?.add(row.deviceId);
  return trials.map((trial) => ({ ...trial, deviceIds: devices.get(trial.id) ?? new Set() }));
}

export async function findTrial(database: Database, secrets: Secrets, id: string): Promise<Trial | undefined> {
  const row = await database.selectFrom('settingsTrials').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : open(secrets, row);
}

export async function trialsAt(database: Database, secrets: Secrets, { level, scope }: Scope): Promise<Trial[]> {
  return (await allTrials(database, secrets)).filter((trial) => trial.level === level && trial.scope === scope);
}

export async function insertTrial(database: Database, secrets: Secrets, { patch, ...row }: Trial): Promise<void> {
  await database
    .insertInto('settingsTrials')
    .values({ ...row, patchSealed: secrets.seal(JSON.stringify([...patch])) })
    .execute();
}

export async function deleteTrial(database: Database, id: string): Promise<void> {
  await database.deleteFrom('settingsTrialDevices').where('trialId', '=', id).execute();
  await database.deleteFrom('settingsTrials').where('id', '=', id).execute();
}

const insertTrialDevices = preparedInOrder(1 + idsAtOnce, (database, [trialId, ...deviceIds]) =>
  database
    .insertInto('settingsTrialDevices')
    .values(deviceIds.map((deviceId) => ({ trialId, deviceId }) as SettingsTrialDevicesTable))
    .onConflict((c) => c.doNothing()),
);

export async function addTrialDevices(database: Database, trialId: string, deviceIds: readonly string[]): Promise<void> {
  for await (const some of pieces(deviceIds)) {
    for (let from = 0; from < some.length; from += idsAtOnce)
      await insertTrialDevices(database, [trialId, ...filled(some, from, idsAtOnce)]);
  }
}

export async function removeTrialDevices(database: Database, trialId: string, deviceIds: readonly string[]): Promise<void> {
  for await (const some of pieces(deviceIds)) {
    await database.deleteFrom('settingsTrialDevices').where('trialId', '=', trialId).where('deviceId', 'in', some).execute();
  }
}

/** Ids of all devices that a trial is in force on. */
export async function trialDevices(database: Database, trialId: string): Promise<ReadonlySet<string>> {
  const rows = await database.selectFrom('settingsTrialDevices').select('deviceId').where('trialId', '=', trialId).execute();
  return new Set(rows.map(({ deviceId }) => deviceId));
}

export async function renameTrials(database: Database, from: string, to: string): Promise<void> {
  await database.updateTable('settingsTrials').set({ scope: to }).where('level', '=', 'group').where('scope', '=', from).execute();
}
