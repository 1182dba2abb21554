/**
 * `node:sqlite`: how the file is opened, and its statements, which are prepared once and kept.
 *
 * INVARIANTS
 * - A transaction takes the write lock when it begins. Otherwise two processes that read first and write then would meet SQLITE_BUSY
 *   without a wait, see https://sqlite.org/rescode.html#busy_snapshot.
 * - Nothing here waits for the disk: sqlite-driver.ts does, for each write before it is answered.
 */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { sqliteError } from '#fleet-server/store/store-errors.ts';

const maxKeptStatements = 300;
/** Of the journal's file, when the journal is begun anew: several times what is written until then (sqlite-checkpoints.ts). */
const keptJournalBytes = 64 * 1_048_576;
/** Statements that change nothing by themselves. Of a `with` nobody can tell from its beginning: it counts as a write. */
const readsOnly = /^\s*(?:select|pragma|explain|begin|savepoint|release|rollback|commit)\b/i;

export type SqliteResult = { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
export type SqliteStatement = {
  /** It has rows to give. */
  readonly isReader: boolean;
  readonly isWrite: boolean;
  all(parameters: readonly unknown[]): unknown[];
  run(parameters: readonly unknown[]): SqliteResult;
};

export type SqliteDatabase = {
  prepare(sql: string): SqliteStatement;
  close(): void;
};

function prepare(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = guard(() => database.prepare(sql === 'begin' ? 'begin immediate' : sql));
  return {
    isReader: statement.columns().length > 0,
    isWrite: !readsOnly.test(sql),
    all: (parameters) => guard(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => guard(() => statement.run(...(parameters as SQLInputValue[]))),
  };
}

/** A full disk has ended the transaction already: an error about that would hide the first one. https://sqlite.org/lang_transaction.html */
function rollback(database: DatabaseSync): SqliteStatement {
  const statement = prepare(database, 'rollback');
  const nothing = { changes: 0, lastInsertRowid: 0 };
  return { ...statement, run: (parameters) => (database.isTransaction ? statement.run(parameters) : nothing) };
}

function guard<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw sqliteError(cause);
  }
}

export function openSqlite(path: string): SqliteDatabase {
  const database = guard(() => new DatabaseSync(path));
  try {
    guard(() => {
      // Milliseconds that a statement waits for another process, such as the join-token command.
      database.exec('pragma busy_timeout = 5000');
      database.exec('pragma journal_mode = wal');
      // FULL would wait for the disk in the middle of each commit, and the whole server with it. What FULL does at a commit, and NORMAL
      // leaves out, is to flush the journal: the driver does that beside the event loop. https://sqlite.org/pragma.html#pragma_synchronous
      database.exec('pragma synchronous = normal');
      database.exec(`pragma journal_size_limit = ${keptJournalBytes}`);
      database.exec('pragma wal_autocheckpoint = 0');
      database.exec('pragma foreign_keys = on');
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return keptStatements(database);
}

/** One that is open already. */
export function keptStatements(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    prepare: (sql) => {
      const known = kept.get(sql);
      if (known !== undefined) return known;
      const made = sql === 'rollback' ? rollback(database) : prepare(database, sql);
      if (kept.size >= maxKeptStatements) kept.clear();
      kept.set(sql, made);
      return made;
    },
    close: () => database.close(),
  };
}
