/** `restore DIRECTORY [--force]`: puts a backup into the data directory of a server that does not run. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Configuration } from '#fleet-server/configuration.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { type BackupManifest, keyName, readBackup, storeName } from '#fleet-server/process/backup-manifest.ts';
import { copyDurably, flush } from '#fleet-server/process/durable-files.ts';
import { UsageError } from '#fleet-server/process/usage-error.ts';
import { migrations } from '#fleet-server/store/migrations.ts';
import { checkSqlite, closeJournal, schemaVersionOf } from '#fleet-server/store/sqlite-copy.ts';
import { keyPath, prepareDataDirectory, storePath } from '#fleet-server/store/store.ts';

const usage = 'Usage: restore DIRECTORY [--force] (with --force also into a data directory that is not empty; what was there is set aside)';

export async function restore(configuration: Configuration, argumentList: readonly string[]): Promise<void> {
  const { directory, isForced } = readArguments(argumentList);
  const { dataDirectory, databaseUrl, keyFile } = configuration;
  const manifest = await readBackup(directory);
  checkEngine(manifest, databaseUrl);
  checkVersion(directory, manifest);
  const targets = [
    { from: join(directory, keyName), to: keyFile ?? keyPath(dataDirectory) },
    ...(manifest.engine === 'sqlite' ? [{ from: join(directory, storeName), to: storePath(dataDirectory) }] : []),
  ];
  checkTarget(dataDirectory, targets, isForced);
  prepareDataDirectory(dataDirectory);
  const aside = setAside(dataDirectory, targets);
  for (const { from, to } of targets) {
    const temporary = `${to}.${process.pid}.new`;
    copyDurably(from, temporary);
    renameSync(temporary, to);
    flush(dirname(to));
  }
  process.stdout.write(`The backup of ${manifest.madeAt} is in ${dataDirectory}: start the fleet server.\n`);
  if (aside !== null) process.stdout.write(`What was there before is in ${aside}.\n`);
  if (manifest.engine === 'postgresql') {
    process.stdout.write('Only the key was in it: restore the database with pg_restore before the fleet server starts.\n');
  }
}

function readArguments(argumentList: readonly string[]): { readonly directory: string; readonly isForced: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argumentList],
      options: { force: { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    });
    const [given, ...more] = positionals;
    if (given !== undefined && more.length === 0) return { directory: resolve(given), isForced: values.force === true };
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : ''}\n${usage}`);
  }
  throw new UsageError(usage);
}

function checkEngine({ engine }: BackupManifest, databaseUrl: string | null): void {
  if ((engine === 'postgresql') === (databaseUrl !== null)) return;
  const came =
    engine === 'sqlite' ? 'a SQLite store, and FLEET_DATABASE_URL is set' : 'a key for PostgreSQL, and FLEET_DATABASE_URL is not set';
  throw new UsageError(`Expected a backup for the database that is configured, got ${came}.`);
}

/** Of what the file says, which the manifest only repeats. */
function checkVersion(directory: string, { engine }: BackupManifest): void {
  if (engine === 'postgresql') return;
  const path = join(directory, storeName);
  checkSqlite(path);
  const version = schemaVersionOf(path);
  if (version !== null && version <= migrations.length) return;
  throw new FleetError(
    'store-damaged',
    `Expected a backup of schema version ${migrations.length} or older, got ${version === null ? 'none' : `version ${version}: a newer fleet server has made it; restore it with that one`}.`,
  );
}

type Target = { readonly from: string; readonly to: string };

function checkTarget(dataDirectory: string, targets: readonly Target[], isForced: boolean): void {
  const isEmpty = !existsSync(dataDirectory) || readdirSync(dataDirectory).length === 0;
  const [key] = targets;
  // A key at a place of its own (FLEET_KEY_FILE) may stay when it is the same.
  const isKeyFree = key === undefined || !existsSync(key.to) || readFileSync(key.to).equals(readFileSync(key.from));
  if (!isForced && !(isEmpty && isKeyFree)) {
    const taken = isEmpty ? `the key file ${key?.to}` : `the data directory ${dataDirectory}`;
    throw new UsageError(`Expected an empty data directory, and ${taken} is in use: name another in FLEET_DATA_DIR, or give --force.`);
  }
  const store = storePath(dataDirectory);
  if (existsSync(store) && !isClosed(store)) {
    throw new UsageError(`Expected that no fleet server works on ${dataDirectory}, and one does: stop it first.`);
  }
}

/** A store that is damaged is no obstacle: it may be why somebody restores. */
function isClosed(path: string): boolean {
  try {
    return closeJournal(path);
  } catch (error) {
    if (error instanceof FleetError && error.code === 'store-damaged') return true;
    throw error;
  }
}

/** Moved, not deleted; null when there was nothing. */
function setAside(dataDirectory: string, targets: readonly Target[]): string | null {
  const paths = targets.flatMap(({ to }) => [to, `${to}-wal`, `${to}-shm`, `${to}-journal`]).filter((path) => existsSync(path));
  if (paths.length === 0) return null;
  const aside = join(dataDirectory, `before-restore-${new Date().toISOString().replaceAll(':', '-')}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const path of paths) {
    const copy = join(aside, path.slice(dirname(path).length + 1));
    // Copied and then removed: a key file may stand on another disk.
    copyDurably(path, copy);
  }
  flush(aside);
  for (const path of paths) rmSync(path);
  return aside;
}
