/** More devices than are dealt with at once, put into the store as if they had joined. */
import { allDevices, findDevice, insertDevice } from '#fleet-server/devices/devices-store.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { settle } from './manual-clock.ts';

/** Two pages, and one more. */
export const many = 501;

/** Their ids in order; every other one is in the group `hall`. */
export async function joinMany(api: ApiUnderTest): Promise<string[]> {
  const { database } = api.store();
  const first = await findDevice(database, (await api.join({ group: 'hall' })).deviceId);
  if (first === undefined) throw new Error('expected the device that joined in the store');
  const ids = Array.from({ length: many - 1 }, (_, index) => `d-${String(index).padStart(12, '0')}`);
  await inTransaction(database, async (transaction) => {
    for (const [index, id] of ids.entries())
      await insertDevice(transaction, { ...first, id, name: `Camera ${index}`, groupName: index % 2 === 0 ? 'hall' : null });
  });
  for (const device of await allDevices(database)) if (device.id !== first.id) api.app.devices.add(device);
  return [...ids, first.id].toSorted();
}

/** A few at a time: that each came is stored, and on PostgreSQL all at once would wait for a connection longer than it has. */
export async function connectMany(api: ApiUnderTest, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    api.voice(id).connect();
    if (index % 10 === 9) await settle();
  }
  await settle();
}
