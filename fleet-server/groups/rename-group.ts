/**
 * Gives a group another name. A group is no row of its own: it is the name by which devices, settings, roll-outs, windows and the rest belong together, so
 * each part renames what it keeps, and here that is put together.
 *
 * INVARIANTS
 * - All of it is one transaction: nothing is left under the old name, and a name that anything stands under already is refused.
 * - What is in force on a device stays: nothing is sent to any.
 * - Devices, windows and policies in memory are renamed in one go, at each server: in between, a device in a window would be out of it.
 */
import type { FastifyInstance } from 'fastify';
import * as alerts from '#fleet-server/alerts/alerts-store.ts';
import { shownMany } from '#fleet-server/audit/audit-log.ts';
import * as devices from '#fleet-server/devices/devices-store.ts';
import * as joinTokens from '#fleet-server/enrolment/join-tokens-store.ts';
import { FleetError } from '#fleet-server/errors.ts';
import * as maintenance from '#fleet-server/maintenance/maintenance-store.ts';
import * as rollouts from '#fleet-server/rollouts/rollouts-store.ts';
import { renameGroupOfSettings } from '#fleet-server/settings/rename-group.ts';
import * as settings from '#fleet-server/settings/settings-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import * as policies from '#fleet-server/watchdog/policies-store.ts';
import type { Change } from '#protocol/model/change.ts';
import type { RenamedGroup } from '#protocol/model/device.ts';

export type Renaming = { readonly from: string; readonly to: string; readonly actor: string; readonly nowMs: number };

/** What may be said otherwise on open pages. */
const touched: readonly Change['subject'][] = [
  'groups',
  'fleet-settings',
  'rollouts',
  'maintenance',
  'watchdog-policy',
  'alerts',
  'join-tokens',
];

export async function renameGroup(app: FastifyInstance, { from, to, actor, nowMs }: Renaming): Promise<RenamedGroup> {
  if (from === to) {
    throw new FleetError('wrong-fields', `Expected another name than ${from}, which it has.`, {
      problems: [{ key: 'body/name', expected: 'another name', came: to }],
    });
  }
  const deviceIds = await inTransaction(app.store.database, async (transaction) => {
    if ((await standsUnder(transaction, from, nowMs)).length === 0) {
      throw new FleetError('not-found', `Expected the name of a group: no device is in ${from}, and nothing is set for it.`);
    }
    const inTheWay = await standsUnder(transaction, to, nowMs);
    if (inTheWay.length > 0) {
      throw new FleetError('already-there', `There is a group ${to} already, with ${inTheWay.join(', ')}: choose a name that is free.`, {
        problems: [{ key: 'body/name', expected: 'a name that is free', came: to }],
      });
    }
    const ids = await renameAll(transaction, from, to);
    const changes = [
      { field: 'name', before: from, after: to },
      ...(ids.length === 0 ? [] : [{ field: 'devices', before: null, after: shownMany(ids) }]),
    ];
    await app.audit.append(transaction, { actor, action: 'group-renamed', subject: from, changes });
    return ids;
  });
  const reading = renameInMemory(app, from, to);
  app.servers.tell({ kind: 'group-renamed', from, to });
  // One that does not know this message, or missed one before it, looks in the store.
  app.servers.tell({ kind: 'devices' });
  for (const subject of touched) app.changes.publish({ subject });
  await reading;
  return { name: to, deviceCount: deviceIds.length };
}

/** After the store, here or at another server. */
export async function renameInMemory(app: FastifyInstance, from: string, to: string): Promise<void> {
  const reading = [app.maintenance.renameGroup(from, to), app.watchdogPolicies.renameGroup(from, to)];
  app.devices.renameGroup(from, to);
  await Promise.all(reading);
}

/** In words; empty: there is no group of this name. What is over, or was set once, does not make one. */
async function standsUnder(transaction: Database, group: string, nowMs: number): Promise<string[]> {
  const counts: readonly (readonly [count: number, one: string, many: string])[] = [
    [await devices.countOfGroup(transaction, group), 'device', 'devices'],
    [await settings.countOfGroup(transaction, group), 'setting', 'settings'],
    [await rollouts.countOfGroup(transaction, group), 'roll-out under way', 'roll-outs under way'],
    [(await policies.hasGroupPolicy(transaction, group)) ? 1 : 0, 'policy of the watchdog', ''],
    [await maintenance.countOfGroup(transaction, group, nowMs), 'maintenance window', 'maintenance windows'],
    [await alerts.countRulesOfGroup(transaction, group), 'alert rule', 'alert rules'],
    [await joinTokens.countOfGroup(transaction, group, nowMs), 'join token', 'join tokens'],
  ];
  return counts.flatMap(([count, one, many]) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]));
}

async function renameAll(transaction: Database, from: string, to: string): Promise<string[]> {
  const deviceIds = await devices.renameGroup(transaction, from, to);
  const revisionsAdded = await renameGroupOfSettings(transaction, from, to);
  await rollouts.renameGroup(transaction, from, to, revisionsAdded);
  await policies.renameGroup(transaction, from, to);
  await maintenance.renameGroup(transaction, from, to);
  await alerts.renameGroupOfRules(transaction, from, to);
  await joinTokens.renameGroup(transaction, from, to);
  return deviceIds;
}
