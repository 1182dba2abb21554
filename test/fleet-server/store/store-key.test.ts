import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSecrets } from '#fleet-server/store/secrets.ts';
import { checkStoreKey } from '#fleet-server/store/store-key.ts';
import { openStoreUnderTest } from './store-under-test.ts';

test('a store opens with the key file that it was made with, and with no other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-key-'));
  const store = await openStoreUnderTest(directory);
  const first = openSecrets(join(directory, 'first.key'));
  await checkStoreKey(store.database, first, 'first.key');
  await checkStoreKey(store.database, openSecrets(join(directory, 'first.key')), 'a copy of it');
  const other = openSecrets(join(directory, 'other.key'));
  await expect(checkStoreKey(store.database, other, '/srv/other.key')).rejects.toThrow(/got another one at \/srv\/other\.key/);
  await store.close();
  await rm(directory, { recursive: true, force: true });
});
