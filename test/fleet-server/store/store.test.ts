import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FleetError } from '#fleet-server/errors.ts';
import { migrate, migrations } from '#fleet-server/store/migrations.ts';
import { openSecrets } from '#fleet-server/store/secrets.ts';
import { openStore, prepareDataDirectory, storePath } from '#fleet-server/store/store.ts';
import { sqliteError } from '#fleet-server/store/store-errors.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-store-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('the store', () => {
  test('and its folder are readable by their owner alone, journal included', async () => {
    const path = join(directory, 'data');
    prepareDataDirectory(path);
    const store = await openStore({ kind: 'sqlite', path: storePath(path) });
    await store.database.insertInto('people').values({ name: 'a', role: 'viewer', passwordHash: 'x', createdAtMs: 1 }).execute();
    expect(await modeOf(path)).toBe('700');
    expect(await modeOf(storePath(path))).toBe('600');
    expect(await modeOf(`${storePath(path)}-wal`)).toBe('600');
    await store.close();
    await store.close();
  });

  test('is durable, checks references and keeps its own journal', async () => {
    const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
    const pragma = async (name: string) =>
      Object.values((await sql`${sql.raw(`pragma ${name}`)}`.execute(store.database)).rows[0] as object)[0];
    // 1 is NORMAL: what FULL does more is done beside the event loop, see the tests of the driver. https://sqlite.org/pragma.html#pragma_synchronous
    expect(await pragma('synchronous')).toBe(1);
    expect(await pragma('foreign_keys')).toBe(1);
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('busy_timeout')).toBe(5000);
    await store.close();
  });

  test('of a newer program is refused with both versions', async () => {
    const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
    await store.database.updateTable('schemaVersion').set({ version: 99 }).execute();
    await store.close();
    await expect(openStore({ kind: 'sqlite', path: storePath(directory) })).rejects.toThrow(/or older, got version 99/);
  });

  test('of an older program is brought up to date, all or nothing', async () => {
    const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
    const add = {
      name: 'a column',
      run: async (database: Parameters<(typeof migrations)[0]['run']>[0]) => {
        await database.schema.alterTable('people').addColumn('mail', 'text').execute();
      },
    };
    const broken = { name: 'broken', run: async () => Promise.reject(new Error('broken')) };
    await expect(migrate(store.database, [...migrations, add, broken])).rejects.toThrow('broken');
    const columns = async () =>
      (await sql<{ name: string }>`pragma table_info(people)`.execute(store.database)).rows.map(({ name }) => name);
    expect(await columns()).not.toContain('mail');
    await migrate(store.database, [...migrations, add]);
    expect(await columns()).toContain('mail');
    await store.close();
  });

  test('that is no database is named damaged', async () => {
    await writeFile(storePath(directory), 'this is no database, but it is long enough to be looked at '.repeat(100));
    await expect(openStore({ kind: 'sqlite', path: storePath(directory) })).rejects.toMatchObject({ code: 'store-damaged' });
  });

  test('that is full says so, goes on reading, and takes writes again when there is room', async () => {
    const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
    const { database } = store;
    const pages = Number(Object.values((await sql`pragma page_count`.execute(database)).rows[0] as object)[0]);
    await sql`${sql.raw(`pragma max_page_count = ${pages}`)}`.execute(database);
    const write = (name: string) =>
      database
        .insertInto('people')
        .values({ name, role: 'x'.repeat(50_000), passwordHash: '', createdAtMs: 1 })
        .execute();
    const error = await write('big').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FleetError);
    expect(error).toMatchObject({ code: 'store-full', status: 507 });
    expect(await database.selectFrom('people').selectAll().execute()).toEqual([]);
    await sql`pragma max_page_count = 100000`.execute(database);
    await write('big');
    expect(await database.selectFrom('people').select('name').execute()).toEqual([{ name: 'big' }]);
    await store.close();
  });

  test('a transaction that fails leaves nothing, and two at once follow each other', async () => {
    const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
    const add = (name: string, fails = false) =>
      store.database.transaction().execute(async (transaction) => {
        await transaction.insertInto('people').values({ name, role: 'viewer', passwordHash: '', createdAtMs: 1 }).execute();
        await new Promise((resolve) => setImmediate(resolve));
        if (fails) throw new Error('no');
      });
    const results = await Promise.allSettled([add('a'), add('b', true), add('c')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.database.selectFrom('people').select('name').orderBy('name').execute()).map(({ name }) => name)).toEqual([
      'a',
      'c',
    ]);
    await store.close();
  });
});

test.each([
  [5, 'store-busy'],
  [13, 'store-full'],
  [10 | (3 << 8), 'store-unavailable'],
  [8, 'store-unavailable'],
  [11, 'store-damaged'],
])('SQLite’s result %i is %s', (errcode, code) => {
  expect(sqliteError(Object.assign(new Error('x'), { errcode }))).toMatchObject({ code });
});

describe('secrets', () => {
  test('are the same in the next life, readable by their owner alone, and different for each purpose', async () => {
    const path = join(directory, 'secret.key');
    const first = openSecrets(path);
    const second = openSecrets(path);
    expect(await modeOf(path)).toBe('600');
    expect(second.hmac('a', 'text')).toEqual(first.hmac('a', 'text'));
    expect(first.hmac('b', 'text')).not.toEqual(first.hmac('a', 'text'));
    expect(second.open(first.seal('hidden'))).toBe('hidden');
    expect(first.seal('hidden')).not.toBe(first.seal('hidden'));
    expect(first.seal('hidden')).not.toContain('hidden');
  });

  test('do not open what was changed, or sealed by another server', () => {
    const secrets = openSecrets(join(directory, 'one.key'));
    const sealed = secrets.seal('hidden');
    expect(() => openSecrets(join(directory, 'two.key')).open(sealed)).toThrow(FleetError);
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    for (const changed of [`v1.${bytes.toString('base64url')}`, sealed.slice(3), 'v1.', ''])
      expect(() => secrets.open(changed)).toThrow(FleetError);
  });

  test('a key file that is none is refused', async () => {
    await writeFile(join(directory, 'secret.key'), 'short');
    expect(() => openSecrets(join(directory, 'secret.key'))).toThrow(/64 hexadecimal digits/);
  });
});
