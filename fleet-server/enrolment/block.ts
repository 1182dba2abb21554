/**
 * A person shuts a device out, and lets it in again.
 *
 * INVARIANT: its row, its history and its settings stay as they are; only whether it is let in changes. What it holds open, here or at another
 * server, is cut by whoever learns of it (devices/plugin.ts).
 */
import type { FastifyInstance } from 'fastify';
import { findDevice, findStoredDevice, setBlocked } from '#fleet-server/devices/devices-store.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { AccessDecision } from '#protocol/model/enrolment.ts';

/** What is so already stays as it is, without an entry anywhere. */
export async function decideAccess(
  app: FastifyInstance,
  deviceId: string,
  decision: AccessDecision['decision'],
  { actor, nowMs }: { readonly actor: string; readonly nowMs: number },
): Promise<void> {
  const { database } = app.store;
  const isBlock = decision === 'block';
  const isNew = await inTransaction(database, async (transaction) => {
    const before = await findDevice(transaction, deviceId);
    if (before === undefined) throw deviceNotFound(deviceId);
    if (!(await setBlocked(transaction, deviceId, isBlock ? nowMs : null))) return false;
    const changes = [{ field: 'access', before: accessWords(!isBlock), after: accessWords(isBlock) }];
    await app.audit.append(transaction, { actor, action: isBlock ? 'device-blocked' : 'device-let-in-again', subject: deviceId, changes });
    return true;
  });
  if (!isNew) return;
  const stored = await findStoredDevice(database, deviceId);
  if (stored !== undefined) app.devices.update(stored);
  app.servers.tell({ kind: 'device', deviceId });
  const detail = isBlock ? `Blocked by ${actor}.` : `Let in again by ${actor}.`;
  await app.history.append({ deviceId, origin: 'person', kind: isBlock ? 'blocked' : 'let-in-again', detail });
}

function accessWords(isBlocked: boolean): string {
  return isBlocked ? 'blocked' : 'let in';
}
