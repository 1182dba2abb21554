/** `backup DIRECTORY`: the store, its key and a manifest, in a directory that is made. Works while the server runs. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Configuration } from '#fleet-server/configuration.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { type BackupManifest, describeFile, keyName, manifestName, storeName } from '#fleet-server/process/backup-manifest.ts';
import { copyDurably, flush, writeDurably } from '#fleet-server/process/durable-files.ts';
import { UsageError } from '#fleet-server/process/usage-error.ts';
import { copySqlite, schemaVersionOf } from '#fleet-server/store/sqlite-copy.ts';
import { keyPath, storePath } from '#fleet-server/store/store.ts';

const usage = 'Usage: backup DIRECTORY (which is made, and must not be there yet)';

export async function backUp(configuration: Configuration, argumentList: readonly string[]): Promise<void> {
  const [given, ...more] = argumentList;
  if (given === undefined || given.startsWith('-') || more.length > 0) throw new UsageError(usage);
  const directory = resolve(given);
  if (existsSync(directory)) throw new UsageError(`Expected a directory that is not there yet, got ${directory}.\n${usage}`);
  // Under its name stands only what is whole.
  const part = `${directory}.${process.pid}.part`;
  mkdirSync(part, { recursive: true, mode: 0o700 });
  try {
    const manifest = await fill(part, configuration);
    renameSync(part, directory);
    flush(dirname(directory));
    process.stdout.write(describe(directory, manifest));
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
}

async function fill(directory: string, { dataDirectory, databaseUrl, keyFile }: Configuration): Promise<BackupManifest> {
  const path = storePath(dataDirectory);
  const key = keyFile ?? keyPath(dataDirectory);
  for (const needed of databaseUrl === null ? [path, key] : [key]) {
    if (!existsSync(needed)) {
      throw new FleetError('store-unavailable', `Expected ${needed}, and it is not there: set FLEET_DATA_DIR to the fleet server’s own.`);
    }
  }
  copyDurably(key, join(directory, keyName));
  const files = [await describeFile(directory, keyName)];
  let schemaVersion: number | null = null;
  if (databaseUrl === null) {
    copySqlite(path, join(directory, storeName));
    flush(join(directory, storeName));
    schemaVersion = schemaVersionOf(join(directory, storeName));
    files.push(await describeFile(directory, storeName));
  }
  const manifest: BackupManifest = {
    kind: 'makespacelive-backup',
    format: 1,
    madeAt: new Date().toISOString(),
    engine: databaseUrl === null ? 'sqlite' : 'postgresql',
    schemaVersion,
    files,
  };
  writeDurably(join(directory, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  flush(directory);
  return manifest;
}

function describe(directory: string, { engine, schemaVersion, files }: BackupManifest): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const what =
    engine === 'sqlite'
      ? `The store (schema version ${schemaVersion}) and its key are in ${directory}, ${bytes} bytes, checked.`
      : `The key alone is in ${directory}. The database is PostgreSQL’s: back it up at the same time with\n  pg_dump --format=custom --file=fleet.dump 'the address in FLEET_DATABASE_URL'`;
  return `${what}\nOnly you may read it (0600): with both, anybody can act as this fleet server. Keep it as you keep a password.\n`;
}
