import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FleetError } from '#fleet-server/errors.ts';
import { migrations } from '#fleet-server/store/migrations.ts';
import { SchemaWatch } from '#fleet-server/store/schema-watch.ts';
import { manualClock, settleWith, settleWithout } from '../manual-clock.ts';
import { openStoreUnderTest } from './store-under-test.ts';

test('a newer schema under a program that runs is told once; a store that does not answer is not', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-store-'));
  const store = await openStoreUnderTest(directory);
  settleWith(store);
  const clock = manualClock();
  const told: FleetError[] = [];
  const watch = new SchemaWatch({ database: store.database, clock, onNewer: (error) => told.push(error) });
  watch.start();
  await clock.advance(10_000);
  expect(told).toEqual([]);
  await store.database
    .updateTable('schemaVersion')
    .set({ version: migrations.length + 2 })
    .execute();
  await clock.advance(10_000);
  expect(told.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    `store-damaged: Expected a store of schema version ${migrations.length} or older, got version ${migrations.length + 2}: a newer fleet server has written it. Start that version, or restore a backup.`,
  ]);
  const later = new SchemaWatch({ database: store.database, clock, onNewer: (error) => told.push(error) });
  later.start();
  settleWithout(store);
  await store.close();
  await clock.advance(10_000);
  expect(told).toHaveLength(1);
  later.stop();
  await rm(directory, { recursive: true });
});
