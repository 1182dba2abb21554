/** Rolling up in the store. Each statement writes whole minutes or hours anew, so that it may be repeated. */
import { type RawBuilder, sql } from 'kysely';
import { healthFigures } from '#fleet-server/health/health-figures.ts';
import { hasMax, hasMin, type Progress } from '#fleet-server/health/health-store.ts';
import { resolutions } from '#fleet-server/health/resolution.ts';
import type { Database, HealthLateTable } from '#fleet-server/store/schema.ts';

type Span = { readonly fromMs: number; readonly toMs: number };

/** Devices by their ids, the first and the last among them. */
export type DeviceSlice = { readonly firstId: string; readonly lastId: string };

// From the devices on, so that what each said is found by its key: by time alone a whole table would be read.

export async function rollUpMinutes(database: Database, span: Span, slice: DeviceSlice): Promise<void> {
  await rollUp(database, 'minutes', sourceOf('healthSamples', span, slice), 'raw');
}

export async function rollUpHours(database: Database, span: Span, slice: DeviceSlice): Promise<void> {
  await rollUp(database, 'hours', sourceOf('healthMinutes', span, slice), 'rolled-up');
}

function sourceOf(name: 'healthSamples' | 'healthMinutes', { fromMs, toMs }: Span, { firstId, lastId }: DeviceSlice): RawBuilder<unknown> {
  const atMs = sql.ref(`${name}.atMs`);
  return sql`from "devices" cross join ${sql.table(name)} where ${sql.ref(`${name}.deviceId`)} = "devices"."id"
    and ${atMs} >= ${fromMs} and ${atMs} < ${toMs} and "devices"."id" >= ${firstId} and "devices"."id" <= ${lastId}`;
}

/** The next of all devices, in the order of their ids; null: there are none after `afterId`. `isLast`: nor any after these. */
export async function nextSlice(
  database: Database,
  afterId: string,
  count: number,
): Promise<(DeviceSlice & { readonly isLast: boolean }) | null> {
  const rows = await database.selectFrom('devices').select('id').where('id', '>', afterId).orderBy('id').limit(count).execute();
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return null;
  return { firstId: first.id, lastId: last.id, isLast: rows.length < count };
}

async function rollUp(
  database: Database,
  into: 'minutes' | 'hours',
  source: RawBuilder<unknown>,
  kind: 'raw' | 'rolled-up',
): Promise<void> {
  const from = (figure: string, part: string) => sql.ref(kind === 'raw' ? figure : `${figure}${part}`);
  const columns = healthFigures.flatMap((figure) => [
    { name: `${figure}Sum`, value: sql`sum(${from(figure, 'Sum')})` },
    { name: `${figure}Count`, value: kind === 'raw' ? sql`count(${sql.ref(figure)})` : sql`sum(${sql.ref(`${figure}Count`)})` },
    ...(hasMin(figure) ? [{ name: `${figure}Min`, value: sql`min(${from(figure, 'Min')})` }] : []),
    ...(hasMax(figure) ? [{ name: `${figure}Max`, value: sql`max(${from(figure, 'Max')})` }] : []),
  ]);
  const bucketMs = sql.lit(resolutions[into].bucketMs);
  const bucket = sql`("atMs" / ${bucketMs}) * ${bucketMs}`;
  const names = columns.map(({ name }) => sql.ref(name));
  const updates = columns.map(({ name }) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`);
  await sql`insert into ${sql.table(into === 'minutes' ? 'healthMinutes' : 'healthHours')} ("deviceId", "atMs", ${sql.join(names)})
    select "deviceId", ${bucket}, ${sql.join(columns.map(({ value }) => value))} ${source} group by "deviceId", ${bucket}
    on conflict ("deviceId", "atMs") do update set ${sql.join(updates)}`.execute(database);
}

export async function setProgress(database: Database, resolution: Progress, upToMs: number): Promise<void> {
  await database
    .insertInto('healthProgress')
    .values({ resolution, upToMs })
    .onConflict((c) => c.column('resolution').doUpdateSet({ upToMs }))
    .execute();
}

/** The oldest sample from a time on; null when there is none. */
export async function firstSampleMs(database: Database, fromMs: number): Promise<number | null> {
  const row = await database
    .selectFrom('healthSamples')
    .select('atMs')
    .where('atMs', '>=', fromMs)
    .orderBy('atMs')
    .limit(1)
    .executeTakeFirst();
  return row?.atMs ?? null;
}

export function lateMinutes(database: Database, limit: number): Promise<HealthLateTable[]> {
  return database.selectFrom('healthLate').selectAll().orderBy('deviceId').orderBy('minuteMs').limit(limit).execute();
}

export async function forgetLate(database: Database, deviceId: string, { fromMs, toMs }: Span): Promise<void> {
  await database
    .deleteFrom('healthLate')
    .where('deviceId', '=', deviceId)
    .where('minuteMs', '>=', fromMs)
    .where('minuteMs', '<', toMs)
    .execute();
}

/** Deletes at most `limit` samples that are older; answers how many went. */
export async function pruneSamples(database: Database, beforeMs: number, limit: number): Promise<number> {
  const result = await sql`delete from "healthSamples" where ("deviceId", "atMs") in (
    select "deviceId", "atMs" from "healthSamples" where "atMs" < ${beforeMs} limit ${limit})`.execute(database);
  return Number(result.numAffectedRows ?? 0n);
}

export async function deviceIds(database: Database): Promise<string[]> {
  return (await database.selectFrom('devices').select('id').execute()).map(({ id }) => id);
}

/** Device after device, as the tables are ordered: by time alone a whole table would be read. */
export async function pruneRollUps(
  database: Database,
  deviceId: string,
  before: { readonly minutesMs: number; readonly hoursMs: number },
): Promise<void> {
  await database.deleteFrom('healthMinutes').where('deviceId', '=', deviceId).where('atMs', '<', before.minutesMs).execute();
  await database.deleteFrom('healthHours').where('deviceId', '=', deviceId).where('atMs', '<', before.hoursMs).execute();
}
