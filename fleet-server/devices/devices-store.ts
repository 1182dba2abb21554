/** Devices in the store. What changes with every message is in memory only, see device-register.ts. */
import { advance, type MessagePosition } from '#fleet-server/devices/device-positions-store.ts';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database, DeviceStatesTable, DevicesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

export type StoredDevice = DevicesTable & Omit<DeviceStatesTable, 'deviceId'>;
export type DevicePosition = { readonly name: string; readonly id: string };

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
    ]);
}

export function allDevices(database: Database): Promise<StoredDevice[]> {
  return joined(database).execute();
}

export function findDevice(database: Database, id: string): Promise<DevicesTable | undefined> {
  return database.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertDevice(database: Database, device: DevicesTable): Promise<void> {
  await database.insertInto('devices').values(device).execute();
  await database
    .insertInto('deviceStates')
    .values({ deviceId: device.id, bootId: null, sessionEra: 0, sessionCounter: 0, heardAtMs: null, versions: null, report: null })
    .execute();
}

export function findStoredDevice(database: Database, id: string): Promise<StoredDevice | undefined> {
  return joined(database).where('devices.id', '=', id).executeTakeFirst();
}

const keyColumns = ['id', 'name', 'credentialHash', 'nextCredentialHash', 'keyGeneration', 'waitingSinceMs', 'groupName'] as const;
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

export type DeviceFilter = {
  readonly group: string | null;
  readonly tag: string | null;
  /** Only those that wait for approval, or only those that do not. */
  readonly isWaiting: boolean | null;
};
export type DevicePage = DeviceFilter & { readonly limit: number; readonly after: DevicePosition | null };

/** A tag has no character that means something in a pattern. */
function pattern(tag: string): string {
  return `% ${tag} %`;
}

/** By name, then by id; one row more than `limit` when there is a further page. */
export function pageOfDevices(database: Database, page: DevicePage): Promise<DevicesTable[]> {
  let query = database.selectFrom('devices').selectAll();
  if (page.group !== null) query = query.where('groupName', '=', page.group);
  if (page.tag !== null) query = query.where('tags', 'like', pattern(page.tag));
  if (page.isWaiting !== null) query = query.where('waitingSinceMs', page.isWaiting ? 'is not' : 'is', null);
  const { after } = page;
  if (after !== null) {
    query = query.where((e) => e.or([e('name', '>', after.name), e.and([e('name', '=', after.name), e('id', '>', after.id)])]));
  }
  return query
    .orderBy('name')
    .orderBy('id')
    .limit(page.limit + 1)
    .execute();
}

export async function countDevices(database: Database, { group, tag, isWaiting }: DeviceFilter): Promise<number> {
  let query = database.selectFrom('devices').select((e) => e.fn.countAll<number>().as('count'));
  if (group !== null) query = query.where('groupName', '=', group);
  if (tag !== null) query = query.where('tags', 'like', pattern(tag));
  if (isWaiting !== null) query = query.where('waitingSinceMs', isWaiting ? 'is not' : 'is', null);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

export async function updateDevice(
  database: Database,
  id: string,
  patch: Partial<Pick<DevicesTable, 'name' | 'groupName' | 'tags'>>,
): Promise<void> {
  await database.updateTable('devices').set(patch).where('id', '=', id).execute();
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

export async function saveHeard(database: Database, state: HeardState): Promise<void> {
  await inTransaction(database, (transaction) => updateHeard(transaction, state));
}
