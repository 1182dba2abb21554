/**
 * A transaction that reads what it then changes, as if it were alone.
 *
 * INVARIANT: SQLite lets one writer in at a time (sqlite-database.ts). PostgreSQL lets many in and ends those that disturbed each
 * other (isolation level serializable); they are run again here, so `work` must change nothing but the store.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FleetError } from '#fleet-server/errors.ts';
import { engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** With the waits below, about two seconds: then somebody waits for an answer in vain. */
const maxAttempts = 12;
const longestPauseMs = 250;

export async function inTransaction<T>(database: Database, work: (transaction: Database) => Promise<T>): Promise<T> {
  if (engineOf(database) === 'sqlite') return database.transaction().execute(work);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction().setIsolationLevel('serializable').execute(work);
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== 'store-busy' || attempt === maxAttempts) throw error;
      // Random, so that two that disturbed each other do not do it again in step.
      await pause(Math.random() * Math.min(longestPauseMs, 5 * 2 ** attempt));
    }
  }
}
