/** Devices put into the store before the server starts, as if they had joined: joining is bounded to so many a minute. */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { insertDevice } from '#fleet-server/devices/devices-store.ts';
import { makeDeviceId } from '#fleet-server/enrolment/enrol.ts';
import { resolutions } from '#fleet-server/health/resolution.ts';
import { openSecrets } from '#fleet-server/store/secrets.ts';
import { keyPath, openStore, prepareDataDirectory, storePath } from '#fleet-server/store/store.ts';
import type { Credentials } from './simulated-device.ts';

export async function putFleet(directory: string, count: number): Promise<Credentials[]> {
  prepareDataDirectory(directory);
  const secrets = openSecrets(keyPath(directory));
  const store = await openStore({ kind: 'sqlite', path: storePath(directory) });
  const fleet = Array.from({ length: count }, () => ({ deviceId: makeDeviceId(), credential: randomBytes(32).toString('base64url') }));
  await store.database.transaction().execute(async (transaction) => {
    for (const [index, { deviceId, credential }] of fleet.entries()) {
      await insertDevice(transaction, {
        id: deviceId,
        name: `device ${String(index).padStart(5, '0')}`,
        groupName: index % 2 === 0 ? 'even' : null,
        joinedAtMs: Date.now(),
        credentialHash: secrets.hmac('device-credential', credential).toString('hex'),
        keyGeneration: 1,
        desiredRevision: 0,
        desiredDigest: '',
        appliedRevision: 0,
        appliedAtMs: null,
        outcomeRevision: 0,
        outcome: null,
        refusals: '[]',
        eventsUpTo: 0,
        tags: '',
        driftedSinceMs: null,
        driftedKeys: '',
        driftRepairs: 0,
        driftRepairAtMs: null,
        boardId: null,
        otherBoardSeenMs: null,
        twiceSinceMs: null,
        twiceSeenMs: null,
        twiceDetail: '',
        waitingSinceMs: null,
        blockedSinceMs: null,
        nextCredentialHash: null,
        nextCredentialSealed: null,
      });
    }
  });
  await store.close();
  return fleet;
}

const hourMs = 3_600_000;
const healthGapMs = 10_000;
/** Longer than any measurement. */
const agedHours = 3;

/**
 * The health that a server which has run for a day deletes from now on, as fast as it comes: that of the hours before, all rolled up. What lies
 * between is left out, as nothing reads it.
 */
export function putOldHealth(directory: string): void {
  const database = new DatabaseSync(storePath(directory));
  const nowMs = Date.now();
  const oldestMs = nowMs - resolutions.raw.keptMs - hourMs;
  const count = (agedHours * hourMs) / healthGapMs;
  database.exec(`
    pragma journal_mode = off;
    pragma synchronous = off;
    drop index "healthSamplesByTime";
    with recursive ticks(tick) as (select 0 union all select tick + 1 from ticks where tick < ${count - 1})
      insert into "healthSamples"
      select devices.id, ${oldestMs} + tick * ${healthGapMs} + devices.rowid % ${healthGapMs}, 15, 1200, 51.5, 0.7, 512000000, -23.5, 3
      from (select id, rowid from devices order by id) as devices cross join ticks;
    create index "healthSamplesByTime" on "healthSamples" ("atMs");
    insert into "healthProgress" values
      ('minutes', ${nowMs - (nowMs % resolutions.minutes.bucketMs)}), ('hours', ${nowMs - (nowMs % resolutions.hours.bucketMs)})
      on conflict do update set "upToMs" = excluded."upToMs";
    pragma journal_mode = wal;
  `);
  database.close();
}
