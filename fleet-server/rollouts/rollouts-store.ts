/** Roll-outs and the state of each of their devices in the store. */
import type { RolloutDeviceState, RolloutState } from '#fleet-server/rollouts/transition.ts';
import type { Database, RolloutDevicesTable, RolloutsTable } from '#fleet-server/store/schema.ts';

/** SQLite takes 32,766 values in a statement. */
const rowsAtOnce = 2000;

export async function insertRollout(
  database: Database,
  rollout: RolloutsTable,
  devices: readonly Omit<RolloutDevicesTable, 'rolloutId'>[],
): Promise<void> {
  await database.insertInto('rollouts').values(rollout).execute();
  for (let from = 0; from < devices.length; from += rowsAtOnce) {
    const rows = devices.slice(from, from + rowsAtOnce).map((device) => ({ rolloutId: rollout.id, ...device }));
    await database.insertInto('rolloutDevices').values(rows).execute();
  }
}

export function findRollout(database: Database, id: string): Promise<RolloutsTable | undefined> {
  return database.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function idsUnderWay(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('rollouts')
    .select('id')
    .where('state', 'in', ['running', 'halted'])
    .orderBy('createdAtMs')
    .execute();
  return rows.map(({ id }) => id);
}

export function newestRollouts(database: Database, limit: number): Promise<RolloutsTable[]> {
  return database.selectFrom('rollouts').selectAll().orderBy('createdAtMs', 'desc').orderBy('id').limit(limit).execute();
}

export async function devicesOf(database: Database, rolloutId: string): Promise<RolloutDeviceState[]> {
  const rows = await database
    .selectFrom('rolloutDevices')
    .selectAll()
    .where('rolloutId', '=', rolloutId)
    .orderBy('wave')
    .orderBy('deviceId')
    .execute();
  return rows.map(({ deviceId, wave, state, sinceMs, reason, before }) => ({
    ...{ id: deviceId, wave, kind: state, sinceMs, reason },
    before: JSON.parse(before) as RolloutDeviceState['before'],
  }));
}

export type WaveCount = Pick<RolloutDevicesTable, 'rolloutId' | 'wave' | 'state'> & { readonly count: number };

export async function waveCounts(database: Database, rolloutIds: readonly string[]): Promise<WaveCount[]> {
  if (rolloutIds.length === 0) return [];
  const rows = await database
    .selectFrom('rolloutDevices')
    .select((e) => ['rolloutId', 'wave', 'state', e.fn.countAll<number>().as('count')])
    .where('rolloutId', 'in', [...rolloutIds])
    .groupBy(['rolloutId', 'wave', 'state'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** Writes what is other than before. */
export async function saveRollout(
  database: Database,
  id: string,
  before: RolloutState,
  after: RolloutState,
  end: Partial<Pick<RolloutsTable, 'finishedAtMs' | 'revision'>>,
): Promise<void> {
  const { kind: state, wave, reason } = after;
  await database
    .updateTable('rollouts')
    .set({ state, wave, reason, ...end })
    .where('id', '=', id)
    .execute();
  for (const [index, device] of after.devices.entries()) {
    if (device === before.devices[index]) continue;
    await database
      .updateTable('rolloutDevices')
      .set({ state: device.kind, sinceMs: device.sinceMs, reason: device.reason, before: JSON.stringify(device.before) })
      .where('rolloutId', '=', id)
      .where('deviceId', '=', device.id)
      .execute();
  }
}

/** Of those that are over, only the newest stay. */
export async function pruneRollouts(database: Database, keep: number): Promise<void> {
  const over = await database
    .selectFrom('rollouts')
    .select('id')
    .where('state', 'in', ['completed', 'rolled-back'])
    .orderBy('createdAtMs', 'desc')
    .orderBy('id')
    .execute();
  for (const { id } of over.slice(keep)) {
    await database.deleteFrom('rolloutDevices').where('rolloutId', '=', id).execute();
    await database.deleteFrom('rollouts').where('id', '=', id).execute();
  }
}

/** Under way. */
export async function countOfGroup(database: Database, group: string): Promise<number> {
  const { count } = await database
    .selectFrom('rollouts')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('level', '=', 'group')
    .where('scope', '=', group)
    .where('state', 'in', ['running', 'halted'])
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Also those that are over. `revisionsAdded`: by how much the revisions of the group's settings have other numbers. */
export async function renameGroup(database: Database, from: string, to: string, revisionsAdded: number): Promise<void> {
  await database
    .updateTable('rollouts')
    .set((e) => ({ scope: to, revision: e('revision', '+', revisionsAdded) }))
    .where('level', '=', 'group')
    .where('scope', '=', from)
    .execute();
}
