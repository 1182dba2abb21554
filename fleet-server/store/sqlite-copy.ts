/** A copy of a SQLite store while a fleet server works on it, and what such a file says of itself. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { FleetError } from '#fleet-server/errors.ts';
import { sqliteError } from '#fleet-server/store/store-errors.ts';

/** Another process may hold the store for as long as one of its transactions takes. */
const busyMs = 10_000;

/**
 * One moment of the store, with everything that was answered as done before: a reader disturbs no writer, and a writer not the
 * reader. (The stepwise copy of `node:sqlite`'s backup() begins anew at each write of another process.) Source: https://sqlite.org/lang_vacuum.html
 */
export function copySqlite(from: string, to: string): void {
  // SQLite takes an empty file that is there, and with it its rights.
  closeSync(openSync(to, 'wx', 0o600));
  withDatabase(from, (database) => database.prepare('vacuum into ?').run(to));
  checkSqlite(to);
}

/** @throws when it is not a whole store. */
export function checkSqlite(path: string): void {
  withDatabase(path, (database) => {
    const answer = database.prepare('pragma integrity_check(1)').get()?.['integrity_check'];
    if (answer !== 'ok') throw new FleetError('store-damaged', `The store ${path} is damaged: ${String(answer)}.`);
  });
}

/** Null: there is none, so it is no store of a fleet server. */
export function schemaVersionOf(path: string): number | null {
  return withDatabase(path, (database) => {
    const table = database.prepare(`select 1 from sqlite_schema where name = 'schemaVersion'`).get();
    const version = table === undefined ? undefined : database.prepare('select "version" from "schemaVersion"').get()?.['version'];
    return typeof version === 'number' ? version : null;
  });
}

/** Whether no other process has it open. Afterwards everything is in the one file, without journal files beside it. */
export function closeJournal(path: string): boolean {
  const database = new DatabaseSync(path);
  try {
    // Refused while another connection is open: https://sqlite.org/wal.html, section 8.
    database.exec('pragma journal_mode = delete');
    return true;
  } catch (cause) {
    const error = sqliteError(cause);
    if (error instanceof FleetError && error.code === 'store-busy') return false;
    throw error;
  } finally {
    database.close();
  }
}

function withDatabase<T>(path: string, action: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
    return action(database);
  } catch (cause) {
    throw sqliteError(cause);
  } finally {
    database?.close();
  }
}
