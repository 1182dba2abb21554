/** Whose time is over: by what each leading server has measured, whatever clocks say, and handed on by the store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import { Escalations } from '#fleet-server/alerts/escalations.ts';
import type { Store } from '#fleet-server/store/store.ts';
import { giveBackStore, openMigratedStore } from '../store/migrated-store.ts';

let directory: string;
let opened: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-escalations-'));
  opened = await openMigratedStore(directory);
  await store.insertAlert(opened.database, {
    ...{ id: 'a', key: 'r/a', ruleId: 'r', ruleName: 'away', severity: 'warning', title: 'a', detail: '', deviceId: null },
    ...{ openedAtMs: 0, acknowledgedAtMs: null, acknowledgedBy: null, escalateInMs: 60_000, escalatedAtMs: null },
    ...{ resolvedAtMs: null, toldChannels: '' },
  });
});
afterEach(async () => {
  await opened.close();
  await giveBackStore(directory);
  await rm(directory, { recursive: true });
});

/** A fleet server with clocks of its own. */
function server(clocks: { readonly wallMs: number; readonly steadyMs: number }) {
  const escalations = new Escalations(opened.database);
  return {
    lose: () => escalations.forget(),
    look: async (atS: number) => {
      const moment = { nowMs: clocks.wallMs + atS * 1000, steadyNowMs: clocks.steadyMs + atS * 1000 };
      return (await escalations.due(await store.unresolvedAlerts(opened.database), moment)).map(({ id }) => id);
    },
  };
}
const hourMs = 3_600_000;

/** The first second at which one of those that look each second finds it due. */
async function dueAt(fromS: number, ...servers: { look(atS: number): Promise<string[]> }[]): Promise<number> {
  for (let atS = fromS; atS < fromS + 200; atS += 1) {
    for (const { look } of servers) if ((await look(atS)).length > 0) return atS;
  }
  throw new Error('expected it to be due at last');
}

test('another server goes on where the one before it was, by its own clocks', async () => {
  const first = server({ wallMs: 0, steadyMs: 0 });
  for (let atS = 0; atS <= 33; atS += 1) expect(await first.look(atS)).toEqual([]);
  const second = server({ wallMs: hourMs, steadyMs: -5 * hourMs });
  const atS = await dueAt(40, second);
  // Of the 33 seconds those are lost that were not written yet; the seven without a server do not count.
  expect(atS).toBeGreaterThanOrEqual(40 + 27);
  expect(atS).toBeLessThanOrEqual(40 + 27 + 5);
});

test('two that both believe that they lead count nothing twice', async () => {
  const atS = await dueAt(0, server({ wallMs: 0, steadyMs: 0 }), server({ wallMs: -hourMs, steadyMs: hourMs }));
  expect(atS).toBeGreaterThanOrEqual(60);
});

test('what passed while another one led is not counted again by the one that leads again', async () => {
  const first = server({ wallMs: 0, steadyMs: 0 });
  for (let atS = 0; atS <= 10; atS += 1) await first.look(atS);
  first.lose();
  expect(await dueAt(100, first)).toBe(100 + 50);
});

test('it is escalated once, and not at all once somebody has acknowledged it', async () => {
  const { database } = opened;
  expect((await store.escalate(database, ['a'], 1)).map(({ id }) => id)).toEqual(['a']);
  expect(await store.escalate(database, ['a'], 2)).toEqual([]);
  await database.updateTable('alerts').set({ escalateInMs: 60_000, escalatedAtMs: null }).execute();
  await store.acknowledgeAlert(database, 'a', { acknowledgedAtMs: 3, acknowledgedBy: 'ann' });
  expect(await store.escalate(database, ['a'], 4)).toEqual([]);
});
