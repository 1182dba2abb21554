/**
 * `node:sqlite` in the shape that Kysely's SQLite dialect asks for. Statements are prepared once and kept.
 *
 * INVARIANT: a transaction takes the write lock when it begins. Otherwise two processes that read first and write then
 * would meet SQLITE_BUSY without a wait, see https://sqlite.org/rescode.html#busy_snapshot.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { sqliteError } from '#fleet-server/store/store-errors.ts';

const maxKeptStatements = 300;

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => guard(() => statement.run(...(parameters as SQLInputValue[]))),
    iterate: (parameters) => guard(() => statement.all(...(parameters as SQLInputValue[])))[Symbol.iterator](),
  };
}

/** A full disk has ended the transaction already: an error about that would hide the first one. https://sqlite.org/lang_transaction.html */
function rollback(database: DatabaseSync): SqliteStatement {
  const statement = adapt(guard(() => database.prepare('rollback')));
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
      // FULL: what was answered as done is on the disk, also after a power cut; NORMAL would only survive a crash of ours.
      database.exec('pragma synchronous = full');
      database.exec('pragma foreign_keys = on');
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return asKyselyDatabase(database);
}

/** One that is open already. */
export function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    prepare: (sql) => {
      const known = kept.get(sql);
      if (known !== undefined) return known;
      const made =
        sql === 'rollback' ? rollback(database) : adapt(guard(() => database.prepare(sql === 'begin' ? 'begin immediate' : sql)));
      if (kept.size >= maxKeptStatements) kept.clear();
      kept.set(sql, made);
      return made;
    },
    close: () => database.close(),
  };
}
