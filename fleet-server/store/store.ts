/**
 * The store's one door. Behind it is SQLite in the data directory, or PostgreSQL when one machine is not enough; callers see Kysely
 * and nothing of the engine.
 *
 * INVARIANT: a promise of a write that has resolved is on the disk.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, type LogEvent, PostgresDialect, sql } from 'kysely';
import { FleetError } from '#fleet-server/errors.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { migrate } from '#fleet-server/store/migrations.ts';
import { openPostgresql } from '#fleet-server/store/postgresql-database.ts';
import type { Database, Schema } from '#fleet-server/store/schema.ts';
import { openSqliteStore, type SqliteStoreOptions } from '#fleet-server/store/sqlite-store.ts';
import { gatherCommits, waitingToRunAgain } from '#fleet-server/store/transaction.ts';

export type Store = {
  readonly database: Database;
  /** Of statements, waiting for a connection not counted. */
  readonly latency: Histogram;
  /** What waits at this moment for what is not in this thread: another process, the disk, or its turn after it was disturbed. */
  waiting(): number;
  /** Resolves when it can be read. */
  check(): Promise<void>;
  /** May be called twice. */
  close(): Promise<void>;
};

/** The store inside a data directory. */
export function storePath(dataDirectory: string): string {
  return join(dataDirectory, 'fleet.sqlite');
}

/** The server's own secret inside a data directory, unless FLEET_KEY_FILE names another place. */
export function keyPath(dataDirectory: string): string {
  return join(dataDirectory, 'secret.key');
}

/** Made if it is not there, readable by its owner alone. */
export function prepareDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (cause) {
    throw new FleetError(
      'store-unavailable',
      `The data directory ${path} cannot be made or is not ours: set FLEET_DATA_DIR to one that is.`,
      {
        cause,
      },
    );
  }
}

export type StoreAddress =
  | { readonly kind: 'sqlite'; readonly path: string }
  /** `postgresql://user:password@host:port/database`: a secret. */
  | { readonly kind: 'postgresql'; readonly url: string };

export type StoreOptions = Pick<SqliteStoreOptions, 'flush' | 'onCheckpointsLost'> & {
  /** A connection to the database was lost; what needs it opens another. */
  onLost?(cause: Error): void;
  /** See gatherCommits; 0 unless told. */
  readonly gatherMs?: number;
};

export async function openStore(address: StoreAddress, options: StoreOptions = {}): Promise<Store> {
  const latency = new Histogram();
  const observe = (ms: number) => latency.observe(ms);
  const opened = address.kind === 'sqlite' ? openFile(address.path, observe, options) : openShared(address.url, observe, options);
  const { database, waiting } = opened;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await opened.close();
  };
  try {
    await migrate(database);
  } catch (error) {
    await close();
    throw error;
  }
  const check = async (): Promise<void> => {
    await sql`select 1`.execute(database);
  };
  return { database, latency, waiting, check, close };
}

type Opened = Pick<Store, 'database' | 'waiting' | 'close'>;
type Observe = (ms: number) => void;

function openFile(path: string, observe: Observe, options: StoreOptions): Opened {
  const { database, isFlushing, close } = openSqliteStore(path, { ...options, observe });
  gatherCommits(database, options.gatherMs ?? 0);
  return { database, waiting: () => (isFlushing() ? 1 : 0), close };
}

function openShared(url: string, observe: Observe, { onLost = () => {} }: StoreOptions): Opened {
  const { pool, active } = openPostgresql(url, onLost);
  const log = ({ queryDurationMillis }: LogEvent): void => observe(queryDurationMillis);
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), log });
  return { database, waiting: () => active() + waitingToRunAgain(database), close: () => database.destroy() };
}
