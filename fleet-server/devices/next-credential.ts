/**
 * A new credential for a device that has one.
 *
 * INVARIANTS
 * - Both count until the new one was used; then the former is gone. Whatever the device has on its disk lets it in.
 * - Until then each asking gives the same one again: the device may have written it down and lost its power before it said so.
 * - It stands sealed in the store, and in no command, log or answer of the API.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { findDevice, findStoredDevice, offerCredential, takeOverCredential } from '#fleet-server/devices/devices-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

/** Within the transaction in which the device is asked to take it. */
export async function offerNextCredential(app: FastifyInstance, transaction: Database, deviceId: string): Promise<void> {
  const credential = randomBytes(32).toString('base64url');
  const hash = app.devices.rights.credentialHash(credential).toString('hex');
  await offerCredential(transaction, deviceId, { hash, sealed: app.secrets.seal(credential) });
}

/** After that transaction: every server must know it before the device does. */
export async function announceNextCredential(app: FastifyInstance, deviceId: string): Promise<void> {
  const stored = await findStoredDevice(app.store.database, deviceId);
  if (stored !== undefined) app.devices.update(stored);
  app.servers.tell({ kind: 'device', deviceId });
}

/** What the device is told; without one when it has taken it already. */
export async function nextCredentialOf(app: FastifyInstance, deviceId: string): Promise<Record<string, unknown>> {
  const sealed = (await findDevice(app.store.database, deviceId))?.nextCredentialSealed ?? null;
  return sealed === null ? {} : { credential: app.secrets.open(sealed) };
}

export async function credentialTaken(app: FastifyInstance, deviceId: string, hash: string): Promise<void> {
  const isFirst = await inTransaction(app.store.database, async (transaction) => {
    if (!(await takeOverCredential(transaction, deviceId, hash))) return false;
    await app.audit.append(transaction, { actor: deviceId, action: 'credential-changed', subject: deviceId });
    return true;
  });
  if (!isFirst) return;
  app.servers.tell({ kind: 'device', deviceId });
  const detail = 'It came back with its new credential: the former one opens nothing any more.';
  await app.history.append({ deviceId, origin: 'server', kind: 'credential-changed', detail });
}
