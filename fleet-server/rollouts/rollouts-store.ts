/** Roll-outs and the state of each of their devices in the store. */
import { sql } from 'kysely';
import type { RolloutDeviceState, RolloutState } from '#fleet-server/rollouts/transition.ts';
import { type PageStart, pages, pieces } from '#fleet-server/store/pages.ts';
import { filled, preparedInOrder } from '#fleet-server/store/prepared.ts';
import type { Database, RolloutDevicesTable, RolloutsTable } from '#fleet-server/store/schema.ts';

/** In one statement. */
const rowsAtOnce = 50;
/** Reading a row takes some 5 µs. */
const readAtOnce = 2000;

const columns = ['deviceId', 'wave', 'state', 'sinceMs', 'reason', 'falls', 'before'] as const;
const insertDevices = preparedInOrder(1 + rowsAtOnce * columns.length, (database, [rolloutId, ...places]) => {
  const rows = Array.from({ length: rowsAtOnce }, (_, row) => {
    const own = columns.map((column, index) => [column, places[row * columns.length + index]]);
    return { rolloutId, ...Object.fromEntries(own) } as RolloutDevicesTable;
  });
  return (
    database
      .insertInto('rolloutDevices')
      .values(rows)
      // Places that were left over.
      .onConflict((c) => c.doNothing())
  );
});
const updateDevices = preparedInOrder(1 + rowsAtOnce * 6, (database, [rolloutId, ...places]) => {
  const rows = Array.from({ length: rowsAtOnce }, (_, row) => {
    const [id, state, sinceMs, reason, falls, before] = places.slice(row * 6);
    const key = sql`cast(${rolloutId} as text), cast(${id} as text)`;
    const since = sql`cast(${state} as text), cast(${sinceMs} as bigint), cast(${reason} as text)`;
    return sql`(${key}, ${since}, cast(${falls} as integer), cast(${before} as text))`;
  });
  // Both databases call the columns of values so.
  const values = sql<{
    column1: string;
    column2: string;
    column3: RolloutDevicesTable['state'];
    column4: number;
    column5: string | null;
    column6: number;
    column7: string;
  }>`(values ${sql.join(rows)})`.as('changed');
  return (
    database
      .updateTable('rolloutDevices')
      .from(values)
      .set((e) => ({
        ...{ state: e.ref('changed.column3'), sinceMs: e.ref('changed.column4') },
        ...{ reason: e.ref('changed.column5'), falls: e.ref('changed.column6'), before: e.ref('changed.column7') },
      }))
      // With the roll-out as a value by itself SQLite would look through all of its devices for each statement.
      .whereRef('rolloutId', '=', 'changed.column1')
      .whereRef('deviceId', '=', 'changed.column2')
  );
});

export async function insertRollout(
  database: Database,
  rollout: RolloutsTable,
  devices: readonly Omit<RolloutDevicesTable, 'rolloutId'>[],
): Promise<void> {
  await database.insertInto('rollouts').values(rollout).execute();
  for await (const some of pieces(devices)) {
    for (let from = 0; from < some.length; from += rowsAtOnce) {
      const values = filled(some, from, rowsAtOnce).flatMap((device) => columns.map((column) => device[column]));
      await insertDevices(database, [rollout.id, ...values]);
    }
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

/** Wave by wave. */
export async function devicesOf(database: Database, rolloutId: string): Promise<RolloutDeviceState[]> {
  const devices: RolloutDeviceState[] = [];
  // Nearly all had nothing.
  const befores = new Map<string, RolloutDeviceState['before']>();
  const read = (after: PageStart) => pageOfDevices(database, rolloutId, after);
  for await (const page of pages(read, readAtOnce)) {
    for (const { id, wave, state, sinceMs, reason, falls, before: text } of page) {
      const before = befores.get(text) ?? (JSON.parse(text) as RolloutDeviceState['before']);
      befores.set(text, before);
      devices.push({ id, wave, kind: state, sinceMs, reason, falls, before });
    }
  }
  return devices.sort((a, b) => a.wave - b.wave);
}

function pageOfDevices(database: Database, rolloutId: string, { id, limit }: PageStart) {
  return database
    .selectFrom('rolloutDevices')
    .select(['deviceId as id', 'wave', 'state', 'sinceMs', 'reason', 'falls', 'before'])
    .where('rolloutId', '=', rolloutId)
    .where('deviceId', '>', id)
    .orderBy('deviceId')
    .limit(limit)
    .execute();
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
  const changed = after.devices.filter((device, index) => device !== before.devices[index]);
  for await (const some of pieces(changed)) {
    for (let from = 0; from < some.length; from += rowsAtOnce) {
      const values = filled(some, from, rowsAtOnce).flatMap((device) => [
        ...[device.id, device.kind, device.sinceMs, device.reason, device.falls, JSON.stringify(device.before)],
      ]);
      await updateDevices(database, [id, ...values]);
    }
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
