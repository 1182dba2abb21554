/** Stores of earlier versions. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import { migrate, migrations } from '#fleet-server/store/migrations.ts';
import { schemaVersionOf } from '#fleet-server/store/sqlite-copy.ts';
import { openStore, storePath } from '#fleet-server/store/store.ts';
import { openStoreUnderTest } from './store-under-test.ts';

// A store of before revisions were kept: its log of single changes becomes revisions.
test('what was changed at one moment by one person is one revision, and what a removed device had is gone', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-store-'));
  const { database, close } = await openStoreUnderTest(directory);
  const before = migrations.findIndex(({ name }) => name === 'revisions of settings, and tags');
  await sql`drop table "settingsRevisions"`.execute(database);
  await sql`drop table "settingsRevisionChanges"`.execute(database);
  await sql`alter table "devices" drop column "tags"`.execute(database);
  await sql`create table "settingsChanges" ("id" integer, "level" text, "scope" text, "key" text, "before" text, "after" text,
    "changedAtMs" bigint, "changedBy" text)`.execute(database);
  const rows: [string, string, string, string | null, string | null, number, string][] = [
    ['fleet', '', 'AV_VIDEO_WIDTH', null, '640', 1000, 'ann'],
    ['fleet', '', 'AV_STREAM_KEY', null, 'secret', 1000, 'ann'],
    ['fleet', '', 'AV_VIDEO_WIDTH', '640', null, 2000, 'bob'],
    ['group', 'hall', 'AV_VIDEO_WIDTH', null, '800', 1500, 'ann'],
    ['device', 'd-gone', 'AV_VIDEO_WIDTH', null, '320', 1500, 'ann'],
  ];
  for (const [index, row] of rows.entries())
    await sql`insert into "settingsChanges" values (${sql.join([index, ...row])})`.execute(database);
  await database.updateTable('schemaVersion').set({ version: before }).execute();

  await migrate(database, migrations.slice(0, before + 1));
  const revisions = await database.selectFrom('settingsRevisions').selectAll().orderBy('changedAtMs').execute();
  expect(revisions.map(({ level, scope, number, changedBy }) => [level, scope, number, changedBy])).toEqual([
    ['fleet', '', 1, 'ann'],
    ['group', 'hall', 1, 'ann'],
    ['fleet', '', 2, 'bob'],
  ]);
  const changes = await database
    .selectFrom('settingsRevisionChanges')
    .selectAll()
    .where('level', '=', 'fleet')
    .orderBy('number')
    .orderBy('key')
    .execute();
  expect(changes.map(({ number, key, before: was, after }) => [number, key, was, after])).toEqual([
    [1, 'AV_STREAM_KEY', null, 'secret'],
    [1, 'AV_VIDEO_WIDTH', null, '640'],
    [2, 'AV_VIDEO_WIDTH', '640', null],
  ]);
  await close();
  await rm(directory, { recursive: true });
});

// A store of before time was measured: when an alert is to be escalated becomes how much time is left.
test('an alert that waits for somebody to acknowledge it waits no longer than before', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-store-'));
  const { database, close } = await openStoreUnderTest(directory);
  const before = migrations.findIndex(({ name }) => name === 'how much time is left until an alert is escalated');
  await sql`alter table "alerts" rename column "escalateInMs" to "escalateAtMs"`.execute(database);
  const insert = (id: string, escalateAtMs: number | null) =>
    sql`insert into "alerts" ("id", "key", "ruleId", "ruleName", "severity", "title", "detail", "openedAtMs", "toldChannels", "escalateAtMs")
      values (${id}, ${id}, 'r', 'r', 'info', '', '', 0, '', ${escalateAtMs})`.execute(database);
  await insert('none', null);
  await insert('over', Date.now() - 1000);
  await insert('waits', Date.now() + 600_000);
  await database.updateTable('schemaVersion').set({ version: before }).execute();
  await migrate(database, migrations.slice(0, before + 1));
  const rows = await database.selectFrom('alerts').select(['id', 'escalateInMs']).orderBy('id').execute();
  expect(rows.map(({ id }) => id)).toEqual(['none', 'over', 'waits']);
  expect(rows.slice(0, 2).map(({ escalateInMs }) => escalateInMs)).toEqual([null, 0]);
  expect(rows[2]?.escalateInMs).toBeLessThanOrEqual(600_000);
  expect(rows[2]?.escalateInMs).toBeGreaterThan(500_000);
  await close();
  await rm(directory, { recursive: true });
});

test('commands of before they were numbered are in the order of their times', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-store-'));
  const { database, close } = await openStoreUnderTest(directory);
  const before = migrations.findIndex(({ run }) => run.name === 'commandNumbers');
  await sql`drop index "commandsByNumber"`.execute(database);
  await sql`alter table "commands" drop column "number"`.execute(database);
  await sql`create index "commandsByDevice" on "commands" ("deviceId", "requestedAtMs")`.execute(database);
  for (const deviceId of ['d-one', 'd-two']) {
    await sql`insert into "devices" ("id", "name", "joinedAtMs", "credentialHash", "keyGeneration", "desiredRevision", "desiredDigest",
      "appliedRevision", "outcomeRevision", "refusals", "eventsUpTo") values (${deviceId}, '', 0, '', 1, 1, '', 0, 0, '[]', 0)`.execute(
      database,
    );
    for (const atMs of [30, 10, 20])
      await sql`insert into "commands" ("id", "deviceId", "kind", "arguments", "state", "requestedBy", "requestedAtMs", "deadlineMs", "detail")
        values (${`${deviceId}-${atMs}`}, ${deviceId}, 'identify', '{}', 'done', 'ann', ${atMs}, 0, '')`.execute(database);
  }
  await database.updateTable('schemaVersion').set({ version: before }).execute();
  await migrate(database, migrations.slice(0, before + 1));
  const rows = await database.selectFrom('commands').select(['id', 'number']).orderBy('deviceId').orderBy('number').execute();
  expect(rows).toEqual(
    ['d-one', 'd-two'].flatMap((deviceId) => [10, 20, 30].map((atMs, index) => ({ id: `${deviceId}-${atMs}`, number: index + 1 }))),
  );
  await close();
  await rm(directory, { recursive: true });
});

/** Made by the first migration alone, and filled with made-up rows: a store of the first version. */
const fixture = join(import.meta.dirname, 'fixtures', 'first-schema-made-up.sqlite');

test('a store of the first version is brought up to date, with everything in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-old-'));
  const path = storePath(directory);
  await copyFile(fixture, path);
  expect(schemaVersionOf(path)).toBe(1);
  // Told by a device whose clock ran ahead.
  const old = new DatabaseSync(path);
  old.exec(`insert into "history" ("deviceId", "atMs", "origin", "kind", "detail", "deviceNumber")
    select "id", 4102444800000, 'device', 'happened', 'in 2100', 900 from "devices"`);
  old.close();
  const { database, close } = await openStore({ kind: 'sqlite', path });
  expect(schemaVersionOf(path)).toBe(migrations.length);
  expect(await allDevices(database)).toMatchObject([
    { name: 'Workshop', groupName: 'hall', desiredRevision: 3, sessionCounter: 4, tags: '' },
  ]);
  expect(await database.selectFrom('people').select(['name', 'role']).execute()).toEqual([{ name: 'admin', role: 'admin' }]);
  expect(await database.selectFrom('settings').select(['key', 'value']).execute()).toEqual([{ key: 'AV_VIDEO_BITRATE', value: '1500' }]);
  expect(await database.selectFrom('settingsRevisionChanges').select(['number', 'after']).execute()).toEqual([
    { number: 1, after: '1500' },
  ]);
  const history = await database.selectFrom('history').select(['detail', 'atMs', 'arrivedAtMs']).orderBy('id').execute();
  expect(history).toMatchObject([
    { detail: 'made up', arrivedAtMs: null },
    { detail: 'in 2100', arrivedAtMs: null },
  ]);
  expect(Date.now() - (history[1]?.atMs ?? 0)).toBeLessThan(60_000);
  expect(await database.selectFrom('healthSamples').select(['framesPerSecond', 'audioRmsDbfs']).execute()).toEqual([
    { framesPerSecond: 25, audioRmsDbfs: null },
  ]);
  await close();
  await rm(directory, { recursive: true });
});
