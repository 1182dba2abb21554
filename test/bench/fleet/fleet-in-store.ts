/** Devices put into the store before the server starts, as if they had joined: joining is bounded to so many a minute. */
import { randomBytes } from 'node:crypto';
import { insertDevice } from '#fleet-server/devices/devices-store.ts';
import { makeDeviceId } from '#fleet-server/enrolment/enrol.ts';
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
