/** Gives tags to many devices and takes them away, in one transaction with one entry in the audit log. */
import type { FastifyInstance } from 'fastify';
import { countedDevices, shownMany } from '#fleet-server/audit/audit-log.ts';
import { setTags, tagsOfAll } from '#fleet-server/devices/devices-store.ts';
import { tellOthersOfDevices, wrongSelection as wrong } from '#fleet-server/devices/selected-devices.ts';
import { readTags, writeTags } from '#fleet-server/devices/tags.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { maxTags, type TaggingResult } from '#protocol/model/device.ts';

export type Tagging = {
  readonly ids: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly actor: string;
};

export async function tagDevices(app: FastifyInstance, { ids, add, remove, actor }: Tagging): Promise<TaggingResult> {
  const both = add.find((tag) => remove.includes(tag));
  if (both !== undefined) throw wrong('each tag either in add or in remove', `${both} in both`);
  const changed = await inTransaction(app.store.database, async (transaction) => {
    const known = new Map((await tagsOfAll(transaction)).map((row) => [row.id, row.tags]));
    const changed = new Map<string, string[]>();
    for (const id of ids) {
      const before = known.get(id);
      if (before === undefined) throw deviceNotFound(id);
      const after = writeTags([...readTags(before).filter((tag) => !remove.includes(tag)), ...add]);
      if (after === before) continue;
      if (readTags(after).length > maxTags) throw wrong(`at most ${maxTags} tags on a device`, `${readTags(after).length} on ${id}`);
      const its = changed.get(after);
      if (its === undefined) changed.set(after, [id]);
      else its.push(id);
    }
    for (const [tags, its] of changed) await setTags(transaction, its, tags);
    const changes = [
      ...(add.length === 0 ? [] : [{ field: 'tags added', before: null, after: add.join(' ') }]),
      ...(remove.length === 0 ? [] : [{ field: 'tags removed', before: null, after: remove.join(' ') }]),
    ];
    const all = [...changed.values()].flat();
    if (all.length > 0) {
      changes.push({ field: 'devices', before: null, after: shownMany(all) });
      await app.audit.append(transaction, { actor, action: 'devices-tagged', subject: countedDevices(all.length), changes });
    }
    return changed;
  });
  for (const [tags, its] of changed) for (const id of its) app.devices.setTags(id, tags);
  const all = [...changed.values()].flat();
  tellOthersOfDevices(app, all);
  return { selected: ids.length, changed: all.length };
}
