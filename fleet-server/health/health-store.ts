/** Health in the store: raw samples, and their roll-ups by the minute and by the hour. */
import { type RawBuilder, sql } from 'kysely';
import { figuresWithMax, figuresWithMin, type HealthFigure, healthFigures } from '#fleet-server/health/health-figures.ts';
import type { ChartPlan, Resolution } from '#fleet-server/health/resolution.ts';
import { preparedForIds, preparedInOrder } from '#fleet-server/store/prepared.ts';
import type { Database, HealthProgressTable, HealthSamplesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

/** Rows an INSERT takes. What is left over goes one by one, so that there are two statements in all, which stay prepared. */
const rowsPerInsert = 50;
const minuteMs = 60_000;

const columns = ['deviceId', 'atMs', ...healthFigures] as const satisfies readonly (keyof HealthSamplesTable)[];

/** Row by row. */
function valuesOf(rows: readonly HealthSamplesTable[]): unknown[] {
  return rows.flatMap((row) => columns.map((column) => row[column]));
}

function insertOf(rowCount: number) {
  return preparedInOrder(rowCount * columns.length, (database, places) => {
    const row = (index: number) => Object.fromEntries(columns.map((column, at) => [column, places[index * columns.length + at]]));
    return database
      .insertInto('healthSamples')
      .values(Array.from({ length: rowCount }, (_, index) => row(index) as unknown as HealthSamplesTable))
      .onConflict((c) => c.columns(['deviceId', 'atMs']).doNothing());
  });
}
const insertOne = insertOf(1);
const insertFull = insertOf(rowsPerInsert);

const devicesThere = preparedForIds<{ id: string }>(50, (database, ids) =>
  database.selectFrom('devices').select('id').where('id', 'in', ids),
);

/**
 * A sample that comes when its minute is being rolled up, or was, marks that minute, in the same transaction. Of a device that was removed
 * meanwhile none is taken.
 */
export async function insertSamples(database: Database, given: readonly HealthSamplesTable[]): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const ids = [...new Set(given.map(({ deviceId }) => deviceId))];
    const there = new Set((await devicesThere(transaction, ids)).map(({ id }) => id));
    const samples = given.filter(({ deviceId }) => there.has(deviceId));
    const rolledUpToMs = Math.max(await progressOf(transaction, 'minutes'), await progressOf(transaction, 'minutes-begun'));
    for (let start = 0; start < samples.length; start += rowsPerInsert) {
      const rows = samples.slice(start, start + rowsPerInsert);
      if (rows.length === rowsPerInsert) await insertFull(transaction, valuesOf(rows));
      else for (const row of rows) await insertOne(transaction, valuesOf([row]));
      const late = rows
        .filter(({ atMs }) => atMs < rolledUpToMs)
        .map(({ deviceId, atMs }) => ({ deviceId, minuteMs: Math.floor(atMs / minuteMs) * minuteMs }));
      if (late.length === 0) continue;
      await transaction
        .insertInto('healthLate')
        .values(late)
        .onConflict((c) => c.columns(['deviceId', 'minuteMs']).doNothing())
        .execute();
    }
  });
}

export type Progress = HealthProgressTable['resolution'];

export async function progressOf(database: Database, resolution: Progress): Promise<number> {
  const row = await database.selectFrom('healthProgress').select('upToMs').where('resolution', '=', resolution).executeTakeFirst();
  return row?.upToMs ?? 0;
}

export type ChartRow = { readonly atMs: number } & Readonly<
  Record<HealthFigure | `${(typeof figuresWithMin)[number]}Min` | `${(typeof figuresWithMax)[number]}Max`, number | null>
>;

/**
 * Means and extremes over steps that begin at multiples of `stepS`; a step without samples is absent. What a coarse table does not
 * hold yet comes from the finer ones: at most an hour of minutes and a few minutes of raw samples.
 */
export async function chart(database: Database, deviceId: string, plan: ChartPlan): Promise<ChartRow[]> {
  const parts = sql.join(
    sourcesOf(plan.resolution).map(({ table, afterMs, beforeMs }) => {
      const columns = sql.join([sql.ref('atMs'), ...healthFigures.flatMap((figure) => partsOf(figure, table))]);
      return sql`select ${columns} from ${sql.table(table)} where "deviceId" = ${deviceId} and "atMs" >= ${plan.fromMs} and "atMs" < ${plan.toMs}
        and "atMs" >= ${afterMs} and "atMs" < ${beforeMs}`;
    }),
    sql` union all `,
  );
  // A literal: node:sqlite binds every number as a floating one, which would not be divided as an integer.
  const stepMs = sql.lit(Math.trunc(plan.stepS * 1000));
  const step = sql`("atMs" / ${stepMs}) * ${stepMs}`;
  const figures = healthFigures.flatMap((figure) => [
    sql`sum(${sql.ref(`${figure}Sum`)}) / nullif(sum(${sql.ref(`${figure}Count`)}), 0) as ${sql.ref(figure)}`,
    ...(hasMin(figure) ? [sql`min(${sql.ref(`${figure}Min`)}) as ${sql.ref(`${figure}Min`)}`] : []),
    ...(hasMax(figure) ? [sql`max(${sql.ref(`${figure}Max`)}) as ${sql.ref(`${figure}Max`)}`] : []),
  ]);
  const query = sql<ChartRow>`select ${step} as "atMs", ${sql.join(figures)} from (${parts}) as "parts" group by ${step} order by 1`;
  return (await query.execute(database)).rows;
}

type Table = 'healthSamples' | 'healthMinutes' | 'healthHours';
type Source = { readonly table: Table; readonly afterMs: RawBuilder<number>; readonly beforeMs: RawBuilder<number> };

function sourcesOf(resolution: Resolution): readonly Source[] {
  const start = sql<number>`0`;
  const end = sql<number>`${sql.lit(Number.MAX_SAFE_INTEGER)}`;
  const upTo = (of: 'minutes' | 'hours') =>
    sql<number>`coalesce((select "upToMs" from "healthProgress" where "resolution" = ${sql.lit(of)}), 0)`;
  if (resolution === 'raw') return [{ table: 'healthSamples', afterMs: start, beforeMs: end }];
  const raw: Source = { table: 'healthSamples', afterMs: upTo('minutes'), beforeMs: end };
  if (resolution === 'minutes') return [{ table: 'healthMinutes', afterMs: start, beforeMs: upTo('minutes') }, raw];
  return [
    { table: 'healthHours', afterMs: start, beforeMs: upTo('hours') },
    { table: 'healthMinutes', afterMs: upTo('hours'), beforeMs: upTo('minutes') },
    raw,
  ];
}

/** A raw sample in the columns of a roll-up. */
function partsOf(figure: HealthFigure, table: Table): RawBuilder<unknown>[] {
  const isRaw = table === 'healthSamples';
  const column = (part: 'Sum' | 'Min' | 'Max') => {
    // As a floating number from everywhere: integers would be divided as such.
    const from = isRaw ? sql`cast(${sql.ref(figure)} as double precision)` : sql.ref(`${figure}${part}`);
    return sql`${from} as ${sql.ref(`${figure}${part}`)}`;
  };
  const count = isRaw ? sql`case when ${sql.ref(figure)} is null then 0 else 1 end` : sql.ref(`${figure}Count`);
  return [
    column('Sum'),
    sql`${count} as ${sql.ref(`${figure}Count`)}`,
    ...(hasMin(figure) ? [column('Min')] : []),
    ...(hasMax(figure) ? [column('Max')] : []),
  ];
}

export function hasMin(figure: HealthFigure): figure is (typeof figuresWithMin)[number] {
  return (figuresWithMin as readonly HealthFigure[]).includes(figure);
}

export function hasMax(figure: HealthFigure): figure is (typeof figuresWithMax)[number] {
  return (figuresWithMax as readonly HealthFigure[]).includes(figure);
}
