/** A device leaves the fleet: its credential and its stream key are worth nothing from then on, and what it holds open is cut. */
import type { FastifyInstance } from 'fastify';
import type { AuditAction } from '#fleet-server/audit/audit-log.ts';
import { cutDevice } from '#fleet-server/devices/cut-device.ts';
import { deleteDevice, findDevice } from '#fleet-server/devices/devices-store.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

export type Removal = {
  readonly deviceId: string;
  readonly actor: string;
  readonly action: Extract<AuditAction, 'device-removed' | 'device-rejected'>;
  /** Throws where it may not be removed. */
  check?(row: DevicesTable): void;
};

export async function removeDevice(app: FastifyInstance, { deviceId, actor, action, check }: Removal): Promise<void> {
  await inTransaction(app.store.database, async (transaction) => {
    const before = await findDevice(transaction, deviceId);
    if (before === undefined) throw deviceNotFound(deviceId);
    check?.(before);
    await deleteDevice(transaction, deviceId);
    const changes = [{ field: 'name', before: before.name, after: null }];
    await app.audit.append(transaction, { actor, action, subject: deviceId, changes });
  });
  app.devices.remove(deviceId);
  app.servers.tell({ kind: 'device', deviceId });
  cutDevice(app, deviceId);
}
