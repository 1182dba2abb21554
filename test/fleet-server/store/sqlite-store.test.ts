import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkpointBytes } from '#fleet-server/store/sqlite-checkpoints.ts';
import { SqliteJournalIndex } from '#fleet-server/store/sqlite-journal.ts';
import { openStore, type Store, storePath } from '#fleet-server/store/store.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { until } from '../../until.ts';

let directory: string;
let store: Store | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-sqlite-'));
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  await rm(directory, { recursive: true, force: true });
});

const turn = () => new Promise((resolve) => setImmediate(resolve));
const person = (name: string) => ({ name, role: 'viewer', passwordHash: 'x', createdAtMs: 0 });

/** A store whose disk takes what it is given only when the test says so. */
async function onSlowDisk() {
  const flushes: { resolve: () => void; reject: (cause: Error) => void }[] = [];
  let isSlow = false;
  const flush = () => (isSlow ? new Promise<void>((resolve, reject) => flushes.push({ resolve, reject })) : Promise.resolve());
  store = await openStore({ kind: 'sqlite', path: storePath(directory) }, { flush });
  isSlow = true;
  return {
    database: store.database,
    flushes,
    fastAgain: () => {
      isSlow = false;
    },
  };
}

test('a write is answered when the disk has it; others read and write meanwhile', async () => {
  const { database, flushes } = await onSlowDisk();
  const answered: string[] = [];
  const first = database
    .insertInto('people')
    .values(person('anna'))
    .execute()
    .then(() => answered.push('anna'));
  await turn();
  expect(flushes).toHaveLength(1);
  const names = await database.selectFrom('people').select('name').execute();
  expect(names).toEqual([{ name: 'anna' }]);
  const second = inTransaction(database, (transaction) => transaction.insertInto('people').values(person('bert')).execute()).then(() =>
    answered.push('bert'),
  );
  await turn();
  expect(answered).toEqual([]);
  flushes[0]?.resolve();
  await first;
  await turn();
  // What it wrote may not have been part of the first flush.
  expect(answered).toEqual(['anna']);
  expect(flushes).toHaveLength(2);
  flushes[1]?.resolve();
  await second;
  expect(answered).toEqual(['anna', 'bert']);
});

test('reading and what was undone wait for nothing', async () => {
  const { database, flushes } = await onSlowDisk();
  await database.selectFrom('people').selectAll().execute();
  await database.transaction().execute((transaction) => transaction.selectFrom('people').selectAll().execute());
  const undone = database.transaction().execute(async (transaction) => {
    await transaction.insertInto('people').values(person('anna')).execute();
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  expect(flushes).toHaveLength(0);
});

test.each([
  ['ENOSPC', 'store-full'],
  ['EIO', 'store-unavailable'],
])('a disk that fails with %s is an answer', async (code, expected) => {
  const { database, flushes, fastAgain } = await onSlowDisk();
  const failing = inTransaction(database, (transaction) => transaction.insertInto('people').values(person('anna')).execute());
  const seen = expect(failing).rejects.toMatchObject({ code: expected });
  await turn();
  flushes[0]?.reject(Object.assign(new Error('the disk'), { code }));
  await seen;
  fastAgain();
  await database.insertInto('people').values(person('bert')).execute();
});

test('the journal is brought into the file beside the server, and begins anew under a load that never pauses', async () => {
  store = await openStore({ kind: 'sqlite', path: storePath(directory) });
  const { database } = store;
  const journal = new SqliteJournalIndex(storePath(directory));
  let count = 0;
  let largest = 0;
  const write = async () => {
    await database
      .insertInto('people')
      .values({ ...person(`p${count}`), passwordHash: 'x'.repeat(500_000) })
      .execute();
    count += 1;
    const bytes = journal.bytes();
    largest = Math.max(largest, bytes);
    return bytes;
  };
  await until('a journal that began anew', 20_000, async () => (await write()) < largest / 2);
  expect(largest).toBeGreaterThanOrEqual(checkpointBytes);
  // The file stays as it is, and is written again from its beginning.
  expect((await stat(`${storePath(directory)}-wal`)).size).toBeGreaterThanOrEqual(largest);
  const whole = await stat(storePath(directory));
  expect(whole.size).toBeGreaterThan(checkpointBytes / 2);
  await store.close();
  store = undefined;
  journal.close();
  const reader = new DatabaseSync(storePath(directory), { readOnly: true });
  expect(reader.prepare('select count(*) as "count" from "people"').get()).toEqual({ count });
  reader.close();
});
