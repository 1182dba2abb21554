import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { PeopleTable } from '#fleet-server/store/schema.ts';
import type { Store } from '#fleet-server/store/store.ts';
import { openStoreUnderTest } from './store-under-test.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-prepared-'));
  store = await openStoreUnderTest(directory);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

test('a statement is built once and takes other values each time, in a transaction as well, beside those that stay', async () => {
  let built = 0;
  const insert = prepared<PeopleTable>(
    'name',
    'role',
    'passwordHash',
    'createdAtMs',
  )((database, row) =>
    database
      .insertInto('people')
      .values(row)
      .onConflict((c) => c.doNothing()),
  );
  const viewersFrom = prepared<{ name: string }>('name')((database, { name }) => {
    built += 1;
    return database.selectFrom('people').select('name').where('name', '>=', name).where('role', '=', 'viewer').orderBy('name');
  });
  const { database } = store;
  const add = (name: string, role = 'viewer') => insert(database, { name, role, passwordHash: '', createdAtMs: 1 });
  expect([(await add('anna')).numAffectedRows, (await add('anna')).numAffectedRows]).toEqual([1n, 0n]);
  await add('bert', 'admin');
  await add('carl');
  expect((await viewersFrom(database, { name: 'a' })).rows).toEqual([{ name: 'anna' }, { name: 'carl' }]);
  const rows = await database.transaction().execute(async (transaction) => {
    await insert(transaction, { name: 'dora', role: 'viewer', passwordHash: '', createdAtMs: 1 });
    return (await viewersFrom(transaction, { name: 'b' })).rows;
  });
  expect(rows).toEqual([{ name: 'carl' }, { name: 'dora' }]);
  expect(built).toBe(1);
});

test('it sees nothing of a transaction that is open, unless it is in it', async () => {
  const insert = prepared<{ name: string }>('name')((database, { name }) =>
    database.insertInto('people').values({ name, role: 'viewer', passwordHash: '', createdAtMs: 1 }),
  );
  const all = prepared<Record<string, never>>()((database) => database.selectFrom('people').select('name'));
  const { database } = store;
  let beside: Promise<{ rows: unknown[] }> | undefined;
  const undone = database.transaction().execute(async (transaction) => {
    await insert(transaction, { name: 'anna' });
    beside = all(database, {});
    expect((await all(transaction, {})).rows).toEqual([{ name: 'anna' }]);
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  expect((await beside)?.rows).toEqual([]);
});
