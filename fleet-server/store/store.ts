/**
 * The store's one door. Behind it is SQLite in the data directory, or PostgreSQL when one machine is not enough; callers see Kysely
 * and nothing of the engine.
 *
 * INVARIANT: a promise of a write that has resolved is on the disk.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, type LogEvent, type Logger, PostgresDialect, SqliteDialect, sql } from 'kysely';
import { FleetError } from '#fleet-server/errors.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { migrate } from '#fleet-server/store/migrations.ts';
import { openPostgresql } from '#fleet-server/store/postgresql-database.ts';
import type { Database, Schema } from '#fleet-server/store/schema.ts';
import { openSqlite } from '#fleet-server/store/sqlite-database.ts';

export type Store = {
  readonly database: Database;
  /** Of statements, waiting for a connection not counted. */
  readonly latency: Histogram;
  /** Connections of a pool that are at work at this moment; SQLite has none. */
  activeConnections(): number;
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

export type StoreOptions = {
  /** A connection to the database was lost; what needs it opens another. */
  onLost?(cause: Error): void;
};

export async function openStore(address: StoreAddress, options: StoreOptions = {}): Promise<Store> {
  const latency = new Histogram();
  const log = ({ queryDurationMillis }: LogEvent): void => latency.observe(queryDurationMillis);
  const { database, activeConnections } = address.kind === 'sqlite' ? openFile(address.path, log) : openShared(address.url, log, options);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await database.destroy();
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
  return { database, latency, activeConnections, check, close };
}

type Opened = Pick<Store, 'database' | 'activeConnections'>;

function openFile(path: string, log: Logger): Opened {
  try {
    // SQLite gives its journal files the rights of the main file.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (cause) {
    throw new FleetError('store-unavailable', `The store ${path} cannot be opened for writing.`, { cause });
  }
  const sqlite = openSqlite(path);
  return { database: new Kysely<Schema>({ dialect: new SqliteDialect({ database: sqlite }), log }), activeConnections: () => 0 };
}

function openShared(url: string, log: Logger, { onLost = () => {} }: StoreOptions): Opened {
  const { pool, active } = openPostgresql(url, onLost);
  return { database: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), log }), activeConnections: active };
}
