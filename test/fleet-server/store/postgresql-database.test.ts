import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { openStore, type Store } from '#fleet-server/store/store.ts';
import { isAlreadyThere } from '#fleet-server/store/store-errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { until } from '../../until.ts';
import { createCluster, type PostgresqlCluster } from './postgresql-cluster.ts';
import { openStoreUnderTest } from './store-under-test.ts';

const person = (name: string) => ({ name, role: 'viewer', passwordHash: 'x', createdAtMs: 1 });
const closing: Store[] = [];
const opened = (store: Store): Store => {
  closing.push(store);
  return store;
};
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-shared-'));
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((store) => store.close()));
  await rm(directory, { recursive: true, force: true });
});

describe('one database of several servers', () => {
  test('servers that start at once agree on one schema', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStoreUnderTest(directory)));
    for (const store of stores) opened(store);
    expect(stores.map(({ database }) => engineOf(database))).toEqual(Array(4).fill('postgresql'));
    const versions = await stores[3]?.database.selectFrom('schemaVersion').selectAll().execute();
    expect(versions).toHaveLength(1);
  });

  test('what each reads and then changes is never lost, however many do so at once', async () => {
    const stores = [opened(await openStoreUnderTest(directory)), opened(await openStoreUnderTest(directory))];
    await stores[0]?.database.insertInto('people').values(person('counted')).execute();
    const addOne = (store: Store) =>
      inTransaction(store.database, async (transaction) => {
        const { createdAtMs } = await transaction
          .selectFrom('people')
          .select('createdAtMs')
          .where('name', '=', 'counted')
          .executeTakeFirstOrThrow();
        await transaction
          .updateTable('people')
          .set({ createdAtMs: createdAtMs + 1 })
          .where('name', '=', 'counted')
          .execute();
      });
    for (let round = 0; round < 10; round += 1) await Promise.all([...stores, ...stores].map(addOne));
    const { createdAtMs } = await (stores[0] as Store).database.selectFrom('people').select('createdAtMs').executeTakeFirstOrThrow();
    expect(createdAtMs).toBe(41);
  });

  test('who was disturbed counts as waiting until it has run again', async () => {
    const [store, other] = [opened(await openStoreUnderTest(directory)), opened(await openStoreUnderTest(directory))];
    await store.database.insertInto('people').values(person('changed by both')).execute();
    const change = (database: Database) => database.updateTable('people').set({ role: 'admin' }).execute();
    let attempts = 0;
    let isOver = false;
    const changed = inTransaction(store.database, async (transaction) => {
      attempts += 1;
      await transaction.selectFrom('people').selectAll().execute();
      if (attempts === 1) await change(other.database);
      await change(transaction);
    }).finally(() => {
      isOver = true;
    });
    const waiting = new Set<boolean>();
    for (await nextTurn(); !isOver; await nextTurn()) waiting.add(store.waiting() > 0);
    await changed;
    expect([attempts, [...waiting]]).toEqual([2, [true]]);
  });

  test('who waits for others longer than a connection may take to be made is not told that the database is away', async () => {
    const { database } = opened(await openStoreUnderTest(directory));
    const asleep = Array.from({ length: 20 }, () => sql`select pg_sleep(3)`.execute(database));
    await Promise.all([...asleep, database.insertInto('people').values(person('late')).execute()]);
  });

  test.each([
    ['53100', 'store-full', 507],
    ['53200', 'store-unavailable', 503],
    ['53300', 'store-unavailable', 503],
    ['53400', 'store-unavailable', 503],
  ])('what PostgreSQL lacks is told by its name: %s', async (code, expected, status) => {
    const { database } = opened(await openStoreUnderTest(directory));
    const lacking = sql`${sql.raw(`do $$ begin raise 'lacking' using errcode = '${code}'; end $$`)}`.execute(database);
    await expect(lacking).rejects.toMatchObject({ code: expected, status });
    expect(await database.selectFrom('people').select('name').execute()).toEqual([]);
  });

  test('a name that is taken is told apart from other faults', async () => {
    const { database } = opened(await openStoreUnderTest(directory));
    await database.insertInto('people').values(person('a')).execute();
    const second = await database
      .insertInto('people')
      .values(person('a'))
      .execute()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(isAlreadyThere(second)).toBe(true);
  });

  test('text is in the order of its bytes, and a zero byte is no fault', async () => {
    const { database } = opened(await openStoreUnderTest(directory));
    const device = {
      joinedAtMs: 1,
      groupName: null,
      credentialHash: '',
      boardId: null,
      otherBoardSeenMs: null,
      twiceSinceMs: null,
      twiceSeenMs: null,
      twiceDetail: '',
      waitingSinceMs: null,
      blockedSinceMs: null,
      nextCredentialHash: null,
      nextCredentialSealed: null,
      keyGeneration: 1,
      desiredRevision: 1,
      desiredDigest: '',
      appliedRevision: 0,
      appliedAtMs: null,
      outcomeRevision: 0,
      outcome: null,
      refusals: '[]',
      eventsUpTo: 2 ** 40,
      tags: '',
      driftedSinceMs: null,
      driftedKeys: '',
      driftRepairs: 0,
      driftRepairAtMs: null,
    };
    for (const name of ['b', 'A', 'a', 'ä', 'B', 'a zero \0 byte'])
      await database
        .insertInto('devices')
        .values({ ...device, id: name, name })
        .execute();
    const rows = await database.selectFrom('devices').select(['name', 'eventsUpTo']).orderBy('name').execute();
    expect(rows.map(({ name }) => name)).toEqual(['A', 'B', 'a', 'a zero \uFFFD byte', 'b', 'ä']);
    expect(rows[0]?.eventsUpTo).toBe(2 ** 40);
  });

  test('of a newer program is refused with both versions', async () => {
    const store = opened(await openStoreUnderTest(directory));
    await store.database.updateTable('schemaVersion').set({ version: 99 }).execute();
    await expect(openStoreUnderTest(directory)).rejects.toThrow(/or older, got version 99/);
  });
});

describe('a database that is away', () => {
  let cluster: PostgresqlCluster;
  beforeAll(async () => {
    cluster = await createCluster();
  });
  afterAll(() => cluster.remove());

  test('is an error with words, loses nothing that was answered, and is used again when it is back', async () => {
    const lost: Error[] = [];
    const store = opened(await openStore({ kind: 'postgresql', url: await cluster.url('fleet') }, { onLost: (cause) => lost.push(cause) }));
    await store.database.insertInto('people').values(person('before')).execute();
    await cluster.kill();
    const write = () => store.database.insertInto('people').values(person('after')).execute();
    await expect(write()).rejects.toMatchObject({ code: 'store-unavailable', message: expect.stringContaining('FLEET_DATABASE_URL') });
    await expect(inTransaction(store.database, async () => {})).rejects.toMatchObject({ code: 'store-unavailable' });
    await cluster.start();
    await until('it is written', 10_000, () =>
      write().then(
        () => true,
        () => false,
      ),
    );
    const names = await store.database.selectFrom('people').select('name').orderBy('name').execute();
    expect(names.map(({ name }) => name)).toEqual(['after', 'before']);
    expect(store.waiting()).toBe(0);
  });

  test('at the start is one line without the password', async () => {
    const url = 'postgresql://fleet:geheim@127.0.0.1:1/fleet';
    const failure = await openStore({ kind: 'postgresql', url }).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(failure).toMatch(/FLEET_DATABASE_URL cannot be used.*ECONNREFUSED/);
    expect(failure).not.toContain('geheim');
  });
});
