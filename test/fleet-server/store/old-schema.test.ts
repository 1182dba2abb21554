/** The file was made by the first migration alone, and filled with made-up rows: a store of the first version. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import { migrations } from '#fleet-server/store/migrations.ts';
import { schemaVersionOf } from '#fleet-server/store/sqlite-copy.ts';
import { openStore, storePath } from '#fleet-server/store/store.ts';

const fixture = join(import.meta.dirname, 'fixtures', 'first-schema-made-up.sqlite');

test('a store of the first version is brought up to date, with everything in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-old-'));
  const path = storePath(directory);
  await copyFile(fixture, path);
  expect(schemaVersionOf(path)).toBe(1);
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
  expect(await database.selectFrom('history').select('detail').execute()).toEqual([{ detail: 'made up' }]);
  expect(await database.selectFrom('healthSamples').select(['framesPerSecond', 'audioRmsDbfs']).execute()).toEqual([
    { framesPerSecond: 25, audioRmsDbfs: null },
  ]);
  await close();
  await rm(directory, { recursive: true });
});
