/**
 * A person lets a device in that waits, or turns it away.
 *
 * INVARIANT: the relay takes its key before the device is told that key: its first attempt must not be refused.
 */
import type { FastifyInstance } from 'fastify';
import { endWaiting, findDevice, findStoredDevice } from '#fleet-server/devices/devices-store.ts';
import { removeDevice } from '#fleet-server/devices/remove-device.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

export async function approveDevice(app: FastifyInstance, deviceId: string, actor: string): Promise<void> {
  const { database } = app.store;
  const send = await inTransaction(database, async (transaction) => {
    const before = await findDevice(transaction, deviceId);
    if (before === undefined) throw deviceNotFound(deviceId);
    if (!(await endWaiting(transaction, deviceId))) throw notWaiting();
    const changes = [{ field: 'name', before: null, after: before.name }];
    await app.audit.append(transaction, { actor, action: 'device-approved', subject: deviceId, changes });
    return app.settings.refreshDevice(transaction, deviceId);
  });
  const stored = await findStoredDevice(database, deviceId);
  if (stored !== undefined) app.devices.update(stored);
  app.servers.tell({ kind: 'device', deviceId });
  send();
  await app.history.append({ deviceId, origin: 'person', kind: 'approved', detail: `Approved by ${actor}.` });
}

export async function rejectDevice(app: FastifyInstance, deviceId: string, actor: string): Promise<void> {
  await removeDevice(app, {
    deviceId,
    actor,
    action: 'device-rejected',
    check: ({ waitingSinceMs }) => {
      if (waitingSinceMs === null) throw notWaiting();
    },
  });
}

function notWaiting(): FleetError {
  return new FleetError('not-waiting', 'Expected a device that waits for approval: this one was approved before.');
}
