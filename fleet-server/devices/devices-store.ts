/** Devices in the store. What changes with every message is in memory only, see device-register.ts. */
import { advance, type MessagePosition } from '#fleet-server/devices/device-positions-store.ts';
import type { Losses } from '#fleet-server/devices/losses.ts';
import { settingsStateColumns } from '#fleet-server/settings/settings-state.ts';
import { pieces } from '#fleet-server/store/pages.ts';
import { prepared, preparedForIds } from '#fleet-server/store/prepared.ts';
import type { Database, DeviceStatesTable, DevicesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

export type StoredDevice = DevicesTable & Omit<DeviceStatesTable, 'deviceId'>;

function joined(database: Database) {
  return database
    .selectFrom('devices')
    .innerJoin('deviceStates', 'deviceStates.deviceId', 'devices.id')
    .selectAll('devices')
    .select([
      'deviceStates.bootId',
      'deviceStates.sessionEra',
      'deviceStates.sessionCounter',
      'deviceStates.heardAtMs',
      'deviceStates.versions',
      'deviceStates.report',
      'deviceStates.lossesAtMs',
      'deviceStates.unstableSinceMs',
    ]);
}

export function allDevices(database: Database): Promise<StoredDevice[]> {
  return joined(database).execute();
}

export function findDevice(database: Database, id: string): Promise<DevicesTable | undefined> {
  return database.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of a device that was never there. */
export const unheardState: Omit<DeviceStatesTable, 'deviceId'> = {
  bootId: null,
  sessionEra: 0,
  sessionCounter: 0,
  heardAtMs: null,
  versions: null,
  report: null,
  lossesAtMs: null,
  unstableSinceMs: null,
};

export async function insertDevice(database: Database, device: DevicesTable): Promise<void> {
  await database.insertInto('devices').values(device).execute();
  await database
    .insertInto('deviceStates')
    .values({ deviceId: device.id, ...unheardState })
    .execute();
}

export function findStoredDevice(database: Database, id: string): Promise<StoredDevice | undefined> {
  return joined(database).where('devices.id', '=', id).executeTakeFirst();
}

/** In no order. */
export function storedDevicesWithIds(database: Database, ids: readonly string[]): Promise<StoredDevice[]> {
  return ids.length === 0 ? Promise.resolve([]) : joined(database).where('devices.id', 'in', ids).execute();
}

const keyColumns = [
  'id',
  'name',
  'tags',
  'credentialHash',
  'nextCredentialHash',
  'keyGeneration',
  'waitingSinceMs',
  'blockedSinceMs',
  'groupName',
] as const;
/** What the register keeps of the row. */
export type DeviceKeys = Pick<DevicesTable, (typeof keyColumns)[number]>;

export function allDeviceKeys(database: Database): Promise<DeviceKeys[]> {
  return database.selectFrom('devices').select(keyColumns).execute();
}

/** One that is there already stays: the device may have it on its disk. Answers which counts from now on. */
export async function offerCredential(
  database: Database,
  id: string,
  made: { readonly hash: string; readonly sealed: string },
): Promise<void> {
  await database
    .updateTable('devices')
    .set({ nextCredentialHash: made.hash, nextCredentialSealed: made.sealed })
    .where('id', '=', id)
    .where('nextCredentialHash', 'is', null)
    .execute();
}

/** It was used: the former one is gone. Answers whether this was the first use. */
export async function takeOverCredential(database: Database, id: string, hash: string): Promise<boolean> {
  const result = await database
    .updateTable('devices')
    .set({ credentialHash: hash, nextCredentialHash: null, nextCredentialSealed: null })
    .where('id', '=', id)
    .where('nextCredentialHash', '=', hash)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Answers whether it waited. */
export async function endWaiting(database: Database, id: string): Promise<boolean> {
  const result = await database
    .updateTable('devices')
    .set({ waitingSinceMs: null })
    .where('id', '=', id)
    .where('waitingSinceMs', 'is not', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Null: it is let in again. Answers whether that is another than it was. */
export async function setBlocked(database: Database, id: string, blockedSinceMs: number | null): Promise<boolean> {
  const result = await database
    .updateTable('devices')
    .set({ blockedSinceMs })
    .where('id', '=', id)
    .where('blockedSinceMs', blockedSinceMs === null ? 'is not' : 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function isBoardBlocked(database: Database, boardId: string): Promise<boolean> {
  const query = database.selectFrom('devices').select('id').where('boardId', '=', boardId).where('blockedSinceMs', 'is not', null);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

const summaryColumns = ['id', 'name', 'groupName', 'tags', 'waitingSinceMs', 'blockedSinceMs', ...settingsStateColumns] as const;
/** What the list shows of the row. */
export type SummaryRow = Pick<DevicesTable, (typeof summaryColumns)[number]>;

/** In no order. Two statements for a page, which wait for no checkpoint. */
export const summaryRows = preparedForIds<SummaryRow>(50, (database, ids) =>
  database.selectFrom('devices').select(summaryColumns).where('id', 'in', ids),
);

/** Those whose settings were refused or that report others: see settings-state.ts. */
export async function idsWithSettingsTrouble(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('devices')
    .select('id')
    .where((e) =>
      e.or([
        e('driftedSinceMs', 'is not', null),
        e.and([
          e('outcome', 'in', ['refused', 'rolled-back']),
          e('outcomeRevision', '=', e.ref('desiredRevision')),
          e('appliedRevision', '!=', e.ref('desiredRevision')),
        ]),
      ]),
    )
    .execute();
  return rows.map(({ id }) => id);
}

export async function updateDevice(
  database: Database,
  id: string,
  patch: Partial<Pick<DevicesTable, 'name' | 'groupName' | 'tags'>>,
): Promise<void> {
  await database.updateTable('devices').set(patch).where('id', '=', id).execute();
}

export function tagsOfAll(database: Database): Promise<Pick<DevicesTable, 'id' | 'tags'>[]> {
  return database.selectFrom('devices').select(['id', 'tags']).execute();
}

/** Databases bound the parameters of a statement. */
const idsAtOnce = 500;

/** The same tags to all of them. */
export async function setTags(database: Database, ids: readonly string[], tags: string): Promise<void> {
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    await database
      .updateTable('devices')
      .set({ tags })
      .where('id', 'in', ids.slice(from, from + idsAtOnce))
      .execute();
  }
}

/** Of those of these that there are, in no order. */
export const groupsOf = preparedForIds(50, (database, ids) =>
  database.selectFrom('devices').select(['id', 'groupName']).where('id', 'in', ids),
);

/** Null: none. */
export async function setGroup(database: Database, ids: readonly string[], groupName: string | null): Promise<void> {
  for await (const some of pieces(ids)) await database.updateTable('devices').set({ groupName }).where('id', 'in', some).execute();
}

export async function countOfGroup(database: Database, group: string): Promise<number> {
  const { count } = await database
    .selectFrom('devices')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('groupName', '=', group)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Answers which devices are in it. */
export async function renameGroup(database: Database, from: string, to: string): Promise<string[]> {
  const rows = await database.updateTable('devices').set({ groupName: to }).where('groupName', '=', from).returning('id').execute();
  return rows.map(({ id }) => id);
}

export async function deleteDevice(database: Database, id: string): Promise<void> {
  for (const table of ['settings', 'settingsRevisions', 'settingsRevisionChanges', 'maintenanceWindows'] as const) {
    await database.deleteFrom(table).where('level', '=', 'device').where('scope', '=', id).execute();
  }
  await database.deleteFrom('settingsTrialDevices').where('deviceId', '=', id).execute();
  await database.deleteFrom('liveDevices').where('deviceId', '=', id).execute();
  await database.deleteFrom('devices').where('id', '=', id).execute();
}

type SessionState = Pick<DeviceStatesTable, 'deviceId' | 'bootId' | 'sessionEra' | 'sessionCounter' | 'versions'>;
const updateSession = prepared<SessionState>(
  'deviceId',
  'bootId',
  'sessionEra',
  'sessionCounter',
  'versions',
)((database, { deviceId, bootId, sessionEra, sessionCounter, versions }) =>
  database.updateTable('deviceStates').set({ bootId, sessionEra, sessionCounter, versions }).where('deviceId', '=', deviceId),
);
type ReportState = Pick<DeviceStatesTable, 'deviceId' | 'heardAtMs' | 'report'>;
const updateReport = prepared<ReportState>(
  'deviceId',
  'heardAtMs',
  'report',
)((database, { deviceId, heardAtMs, report }) =>
  database.updateTable('deviceStates').set({ heardAtMs, report }).where('deviceId', '=', deviceId),
);
type HeardState = Pick<DeviceStatesTable, 'deviceId' | 'heardAtMs'>;
const updateHeard = prepared<HeardState>(
  'deviceId',
  'heardAtMs',
)((database, { deviceId, heardAtMs }) => database.updateTable('deviceStates').set({ heardAtMs }).where('deviceId', '=', deviceId));

type LossState = Pick<DeviceStatesTable, 'deviceId' | 'lossesAtMs' | 'unstableSinceMs'>;
const updateLosses = prepared<LossState>(
  'deviceId',
  'lossesAtMs',
  'unstableSinceMs',
)((database, { deviceId, lossesAtMs, unstableSinceMs }) =>
  database.updateTable('deviceStates').set({ lossesAtMs, unstableSinceMs }).where('deviceId', '=', deviceId),
);

// Every device of the fleet says so each minute, and all at once after a restart: they share the waits for the disk.

/** `position` where order is not kept on the way. False: a newer message has been stored already. */
export function saveSession(database: Database, state: SessionState, position: MessagePosition | null): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    if (position !== null && !(await advance(transaction, state.deviceId, 'hello', position))) return false;
    await updateSession(transaction, state);
    return true;
  });
}

/** As `saveSession`. */
export function saveReport(database: Database, state: ReportState, position: MessagePosition | null): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    if (position !== null && !(await advance(transaction, state.deviceId, 'report', position))) return false;
    await updateReport(transaction, state);
    return true;
  });
}

/** Of many at once. */
export async function saveAllHeard(database: Database, states: readonly HeardState[]): Promise<void> {
  if (states.length === 0) return;
  await inTransaction(database, async (transaction) => {
    for (const state of states) await updateHeard(transaction, state);
  });
}

/** `losses`: by the time of day; null: there is none more. */
export async function savePresence(database: Database, state: HeardState, losses: Losses | null): Promise<void> {
  const { deviceId } = state;
  await inTransaction(database, async (transaction) => {
    await updateHeard(transaction, state);
    if (losses !== null)
      await updateLosses(transaction, { deviceId, lossesAtMs: JSON.stringify(losses.atMs), unstableSinceMs: losses.unstableSinceMs });
  });
}
