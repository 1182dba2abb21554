/**
 * Moves many devices to a group, or out of any, in one transaction with one entry in the audit log.
 *
 * INVARIANT: as where one device is moved (routes.ts): what the group sets is desired of it from the same transaction on, a trial that it leaves is no
 * longer in force on it, and a roll-out that it leaves finds out by itself.
 */
import type { FastifyInstance } from 'fastify';
import { countedDevices, shownMany } from '#fleet-server/audit/audit-log.ts';
import { groupsOf, setGroup } from '#fleet-server/devices/devices-store.ts';
import { tellOthersOfDevices } from '#fleet-server/devices/selected-devices.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { pieces } from '#fleet-server/store/pages.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { GroupingResult } from '#protocol/model/device.ts';

/** `group`: null: none. */
export type Move = { readonly ids: readonly string[]; readonly group: string | null; readonly actor: string };

export async function moveDevices(app: FastifyInstance, { ids, group, actor }: Move): Promise<GroupingResult> {
  const { moved, send } = await inTransaction(app.store.database, async (transaction) => {
    const known = new Map<string, string | null>();
    for await (const some of pieces(ids)) for (const { id, groupName } of await groupsOf(transaction, some)) known.set(id, groupName);
    const leaving = new Map<string | null, string[]>();
    for (const id of ids) {
      const before = known.get(id);
      if (before === undefined) throw deviceNotFound(id);
      if (before === group) continue;
      const its = leaving.get(before);
      if (its === undefined) leaving.set(before, [id]);
      else its.push(id);
    }
    const moved = [...leaving.values()].flat();
    if (moved.length === 0) return { moved, send: () => {} };
    await setGroup(transaction, moved, group);
    const changes = [...leaving].flatMap(([before, its]) => [
      { field: 'group', before, after: group },
      { field: 'devices', before: null, after: shownMany(its) },
    ]);
    await app.audit.append(transaction, { actor, action: 'devices-moved', subject: countedDevices(moved.length), changes });
    return { moved, send: await app.settings.refreshMoved(transaction, moved, group) };
  });
  send();
  // In the order of the transactions, and so all at once; that it is so is told after it.
  for (const id of moved) app.devices.noteGroup(id, group);
  tellOthersOfDevices(app, moved);
  if (moved.length > 0) app.changes.publish({ subject: 'groups' });
  for await (const some of pieces(moved)) for (const deviceId of some) app.changes.publish({ subject: 'device', deviceId });
  return { selected: ids.length, changed: moved.length };
}
