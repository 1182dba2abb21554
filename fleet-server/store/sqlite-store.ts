/**
 * SQLite in the data directory, with what stands around it: flushing the journal before a write is answered, and checkpoints.
 *
 * INVARIANT: the journal is flushed by its own name and inode, which SQLite keeps for as long as a connection is open.
 */
import { chmodSync, closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { Kysely } from 'kysely';
import { FleetError } from '#fleet-server/errors.ts';
import { DiskFlush } from '#fleet-server/store/disk-flush.ts';
import type { Database, Schema } from '#fleet-server/store/schema.ts';
import { SqliteCheckpoints } from '#fleet-server/store/sqlite-checkpoints.ts';
import { openSqlite } from '#fleet-server/store/sqlite-database.ts';
import { SqliteDialect } from '#fleet-server/store/sqlite-driver.ts';
import { SqliteJournalIndex } from '#fleet-server/store/sqlite-journal.ts';
import { flushError } from '#fleet-server/store/store-errors.ts';

export type SqliteStoreOptions = {
  /** How long a statement took. */
  observe(ms: number): void;
  /** Resolves when the disk has what was written to the file. */
  flush?(descriptor: number): Promise<void>;
  /** Checkpoints cannot be made beside the server any more: it waits for the disk during them from now on. */
  onCheckpointsLost?(cause: unknown): void;
};

export type SqliteStore = {
  readonly database: Database;
  /** Whether somebody waits for the disk at this moment. */
  isFlushing(): boolean;
  close(): Promise<void>;
};

/** What SQLite itself takes unless told, in pages: https://sqlite.org/pragma.html#pragma_wal_autocheckpoint */
const ownCheckpointPages = 1000;

export function openSqliteStore(path: string, options: SqliteStoreOptions): SqliteStore {
  try {
    // SQLite gives its journal files the rights of the main file.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (cause) {
    throw new FleetError('store-unavailable', `The store ${path} cannot be opened for writing.`, { cause });
  }
  const { flush = promisify(fdatasync), onCheckpointsLost = () => {} } = options;
  const sqlite = openSqlite(path);
  let journal: number | null = null;
  let index: SqliteJournalIndex | null = null;
  const disk = new DiskFlush(async () => {
    try {
      // It is there since the first write.
      journal ??= openSync(`${path}-wal`, 'r');
      index ??= new SqliteJournalIndex(path);
      await flush(journal);
    } catch (cause) {
      throw flushError(cause);
    }
    checkpoints.note();
  });
  const dialect = new SqliteDialect({ database: sqlite, flushed: () => disk.flushed(), observe: options.observe });
  const checkpoints = new SqliteCheckpoints({
    path,
    alone: (work) => dialect.driver.alone(work),
    journalBytes: () => index?.bytes() ?? 0,
    nowMs: () => performance.now(),
    giveUp: (cause) => {
      sqlite.prepare(`pragma wal_autocheckpoint = ${ownCheckpointPages}`).all([]);
      onCheckpointsLost(cause);
    },
  });
  const database = new Kysely<Schema>({ dialect });
  return {
    database,
    isFlushing: () => disk.isRunning,
    close: async () => {
      await checkpoints.stop();
      await database.destroy();
      sqlite.close();
      if (journal !== null) closeSync(journal);
      index?.close();
    },
  };
}
