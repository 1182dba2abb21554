/** Several devices that a request is about: those that it names, or all that match; and how the other servers are told that they were changed. */
import type { FastifyInstance } from 'fastify';
import { FleetError } from '#fleet-server/errors.ts';
import { type DeviceSelection, maxSelectedDevices } from '#protocol/model/device.ts';

/** Named one by one; of more the other servers look which they are (shared-devices.ts). */
const maxNamed = 20;

export function selectedIds(app: FastifyInstance, { deviceIds, matching }: DeviceSelection): readonly string[] {
  if ((deviceIds === undefined) === (matching === undefined)) {
    throw wrongSelection('either deviceIds or matching', deviceIds === undefined ? 'none of them' : 'both');
  }
  const ids = deviceIds ?? app.deviceList.idsMatching(matching ?? {});
  if (ids.length === 0) throw wrongSelection('devices that match', 'none');
  if (ids.length > maxSelectedDevices) throw wrongSelection(`at most ${maxSelectedDevices} devices`, String(ids.length));
  return ids;
}

export function tellOthersOfDevices(app: FastifyInstance, ids: readonly string[]): void {
  if (ids.length > maxNamed) app.servers.tell({ kind: 'devices' });
  else for (const deviceId of ids) app.servers.tell({ kind: 'device', deviceId });
}

export function wrongSelection(expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected ${expected}, got ${came}.`, { problems: [{ key: 'body', expected, came }] });
}
