/**
 * Ties a store to the key file that its secrets were sealed with. Several servers on one database need the same key file; one
 * with another would refuse every device and could open no setting, and would look as if it worked.
 */
import { timingSafeEqual } from 'node:crypto';
import { FleetError } from '#fleet-server/errors.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';

/** The first server leaves the fingerprint of its key; each later one must have the same. */
export async function checkStoreKey(database: Database, secrets: Secrets, keyFile: string): Promise<void> {
  const fingerprint = secrets.hmac('store-key', 'fingerprint').toString('hex');
  await database
    .insertInto('storeKey')
    .values({ id: 1, fingerprint })
    .onConflict((c) => c.column('id').doNothing())
    .execute();
  const row = await database.selectFrom('storeKey').select('fingerprint').executeTakeFirstOrThrow();
  if (timingSafeEqual(Buffer.from(row.fingerprint.padEnd(64)), Buffer.from(fingerprint.padEnd(64)))) return;
  throw new FleetError(
    'store-damaged',
    `Expected the key file that this store was made with, got another one at ${keyFile}: copy it from the first server or from the backup, or name it in FLEET_KEY_FILE.`,
  );
}
