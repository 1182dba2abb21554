/**
 * A store whose tables are there already. Making them takes a hundred statements, which is most of what a short test of a route would cost:
 * on SQLite an empty file is made once a worker and written anew, on PostgreSQL a schema is emptied by who used it and given to the next.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import { openStore, type Store, storePath } from '#fleet-server/store/store.ts';

const address: string | undefined = inject('postgresql');

/** Of this worker, used by nobody. */
const freeSchemas: string[] = [];
const schemaOf = new Map<string, string>();
let emptyFile: Promise<Buffer> | undefined;
let client: Promise<Client> | undefined;

/** Of a folder that had one: the same again. */
export async function openMigratedStore(directory: string): Promise<Store> {
  if (address === undefined) {
    const path = storePath(directory);
    emptyFile ??= makeEmptyFile();
    if (!existsSync(path)) await writeFile(path, await emptyFile);
    return openStore({ kind: 'sqlite', path });
  }
  const schema = schemaOf.get(directory) ?? freeSchemas.pop() ?? (await makeSchema());
  schemaOf.set(directory, schema);
  return openStore({ kind: 'postgresql', url: address.replace('search_path%3Dpublic', `search_path%3D${schema}`) });
}

/** Of a folder whose store is closed and not opened again. */
export async function giveBackStore(directory: string): Promise<void> {
  const schema = schemaOf.get(directory);
  if (schema === undefined) return;
  schemaOf.delete(directory);
  await ask(`do $$ declare found record; begin
    set local session_replication_role = replica;
    for found in select tablename from pg_tables where schemaname = '${schema}' and tablename <> 'schemaVersion' loop
      execute format('delete from %I.%I', '${schema}', found.tablename);
    end loop;
    for found in select sequencename from pg_sequences where schemaname = '${schema}' and last_value is not null loop
      execute format('alter sequence %I.%I restart', '${schema}', found.sequencename);
    end loop;
  end $$`);
  freeSchemas.push(schema);
}

/** In memory: a worker is ended without a moment in which it could delete a file. */
async function makeEmptyFile(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'msl-empty-store-'));
  const path = storePath(folder);
  const store = await openStore({ kind: 'sqlite', path });
  await store.close();
  const bytes = await readFile(path);
  await rm(folder, { recursive: true });
  return bytes;
}

async function makeSchema(): Promise<string> {
  const schema = `m${randomUUID().replaceAll('-', '')}`;
  await ask(`create schema "${schema}"`);
  return schema;
}

/** On one connection of the worker's, which ends with it: a new one would read the catalogue of all schemas anew. */
async function ask(sql: string): Promise<void> {
  client ??= connect();
  await (await client).query(sql);
}

async function connect(): Promise<Client> {
  const made = new Client({ connectionString: address });
  await made.connect();
  return made;
}
