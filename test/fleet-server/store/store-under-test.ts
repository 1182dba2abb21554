/** The store that a test runs on: SQLite in its folder, or PostgreSQL in the project `postgresql`, where each folder has a schema. */
import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { openStore, type Store, storePath } from '#fleet-server/store/store.ts';

export const isOnPostgresql = inject('postgresql') !== undefined;

export async function openStoreUnderTest(directory: string): Promise<Store> {
  const address: string | undefined = inject('postgresql');
  if (address === undefined) return openStore({ kind: 'sqlite', path: storePath(directory) });
  const schema = `t${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`;
  const client = new Client({ connectionString: address });
  await client.connect();
  // Asked for twice at once, "if not exists" is no guard: PostgreSQL looks before it makes it.
  await client.query('select pg_advisory_lock(1)');
  await client.query(`create schema if not exists "${schema}"`);
  await client.end();
  return openStore({ kind: 'postgresql', url: address.replace('search_path%3Dpublic', `search_path%3D${schema}`) });
}
