/** Health samples in the store: raw, for a day. */
import { sql } from 'kysely';
import type { Database, HealthSamplesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

/** Rows an INSERT takes: SQLite allows 32766 values in a statement, a row has nine. */
const rowsPerInsert = 500;

export async function insertSamples(database: Database, samples: readonly HealthSamplesTable[]): Promise<void> {
  await inTransaction(database, async (transaction) => {
    for (let start = 0; start < samples.length; start += rowsPerInsert) {
      await transaction
        .insertInto('healthSamples')
        .values(samples.slice(start, start + rowsPerInsert))
        .onConflict((c) => c.columns(['deviceId', 'atMs']).doNothing())
        .execute();
    }
  });
}

export type HealthQuery = { readonly deviceId: string; readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** Means over steps that begin at multiples of `stepMs`; a step without samples is absent. */
export function samplesByStep(database: Database, query: HealthQuery): Promise<Omit<HealthSamplesTable, 'deviceId'>[]> {
  // A literal: node:sqlite binds every number as a floating one, which would not be divided as an integer.
  const stepMs = sql.lit(Math.trunc(query.stepMs));
  const step = sql<number>`("atMs" / ${stepMs}) * ${stepMs}`;
  return database
    .selectFrom('healthSamples')
    .select((e) => [
      step.as('atMs'),
      e.fn.avg<number | null>('framesPerSecond').as('framesPerSecond'),
      e.fn.avg<number | null>('videoBitrateKbps').as('videoBitrateKbps'),
      e.fn.avg<number | null>('temperatureC').as('temperatureC'),
      e.fn.avg<number | null>('loadAverage1m').as('loadAverage1m'),
      e.fn.avg<number | null>('memoryAvailableBytes').as('memoryAvailableBytes'),
      e.fn.avg<number | null>('audioRmsDbfs').as('audioRmsDbfs'),
      e.fn.avg<number | null>('audioVideoDriftMs').as('audioVideoDriftMs'),
    ])
    .where('deviceId', '=', query.deviceId)
    .where('atMs', '>=', query.fromMs)
    .where('atMs', '<', query.toMs)
    .groupBy(step)
    .orderBy(step)
    .execute();
}

/** Deletes at most `limit` samples that are older; answers how many went. */
export async function pruneSamples(database: Database, beforeMs: number, limit: number): Promise<number> {
  const result = await sql`delete from "healthSamples" where ("deviceId", "atMs") in (
    select "deviceId", "atMs" from "healthSamples" where "atMs" < ${beforeMs} limit ${limit})`.execute(database);
  return Number(result.numAffectedRows ?? 0n);
}
