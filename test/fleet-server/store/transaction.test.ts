import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '#fleet-server/store/store.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { openStoreUnderTest } from './store-under-test.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-transaction-'));
  store = await openStoreUnderTest(directory);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const addPerson = (name: string, then?: () => never) =>
  inTransaction(store.database, async (transaction) => {
    await transaction.insertInto('people').values({ name, role: 'viewer', passwordHash: 'x', createdAtMs: 0 }).execute();
    then?.();
    return name;
  });
const names = async () => (await store.database.selectFrom('people').select('name').orderBy('name').execute()).map(({ name }) => name);

test('many at once: each gets its own answer, and who fails takes nobody along', async () => {
  const asked = Array.from({ length: 450 }, (_, index) => `p${String(index).padStart(3, '0')}`);
  const refuse = () => {
    throw new Error('no');
  };
  const outcomes = await Promise.allSettled(asked.map((name, index) => addPerson(name, index % 10 === 3 ? refuse : undefined)));
  const wanted = asked.filter((_, index) => index % 10 !== 3);
  expect(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))).toEqual(wanted);
  expect(await names()).toEqual(wanted);
});

test('one that breaks a rule of the store fails alone', async () => {
  const outcomes = await Promise.allSettled([addPerson('anna'), addPerson('anna'), addPerson('bert')]);
  // Which of the two is the first is the database's affair.
  expect(
    outcomes
      .slice(0, 2)
      .map(({ status }) => status)
      .toSorted(),
  ).toEqual(['fulfilled', 'rejected']);
  expect(outcomes[2]?.status).toBe('fulfilled');
  expect(await names()).toEqual(['anna', 'bert']);
});

test('all that would share a commit are told that the disk is full, and taken when there is room', async () => {
  const own = await openStore({ kind: 'sqlite', path: join(directory, 'own.sqlite') });
  const add = (name: string) =>
    inTransaction(own.database, (transaction) =>
      transaction
        .insertInto('people')
        .values({ name, role: name === 'big' ? 'x'.repeat(500_000) : 'viewer', passwordHash: 'x', createdAtMs: 0 })
        .execute(),
    );
  const addAll = (...people: string[]) => Promise.allSettled(people.map(add));
  try {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(own.database);
    await sql`${sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`)}`.execute(own.database);
    const isTold = { status: 'rejected', reason: { code: 'store-full' } };
    // The first waits for nobody: the others share the commit after it.
    expect(await addAll('anna', 'big', 'bert')).toMatchObject([{ status: 'fulfilled' }, isTold, isTold]);
    await sql`pragma max_page_count = 100000`.execute(own.database);
    expect((await addAll('carl', 'big', 'bert')).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  } finally {
    await own.close();
  }
});

test('what comes one by one is committed together once several have shared a commit', async () => {
  let flushes = 0;
  const flush = async () => {
    flushes += 1;
  };
  const own = await openStore({ kind: 'sqlite', path: join(directory, 'own.sqlite') }, { flush, gatherMs: 200 });
  const add = (name: string) =>
    inTransaction(own.database, (transaction) =>
      transaction.insertInto('people').values({ name, role: 'viewer', passwordHash: 'x', createdAtMs: 0 }).execute(),
    );
  await Promise.all(['a', 'b', 'c'].map(add));
  const before = flushes;
  const oneByOne: Promise<unknown>[] = [];
  for (const name of ['d', 'e', 'f', 'g']) {
    oneByOne.push(add(name));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(oneByOne);
  expect(flushes - before).toBe(1);
  await own.close();
});
