import { afterEach, beforeEach, expect, test } from 'vitest';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Desired } from '#protocol/messages.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { connectMany, joinMany, many } from '../many-devices.ts';

const fleet = { level: 'fleet', scope: '' } as const;
let api: ApiUnderTest;
let ids: string[];

beforeEach(async () => {
  api = await startApi();
  ids = await joinMany(api);
  await connectMany(api, ids);
});
afterEach(() => api.close());

const patch = (where: string, payload: object) => api.request({ method: 'PATCH', url: `/api/v1/${where}/settings`, payload });
const sentTo = (id: string) =>
  api.published.filter(({ deviceId, name }) => deviceId === id && name === 'desired').map(({ body }) => body as Desired);
const haveAllGot = (of: readonly string[], times: number) => () => of.every((id) => sentTo(id).length >= times);

/** How often others had a turn until it was done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const count = () => {
    turns += 1;
    next = setImmediate(count);
  };
  next = setImmediate(count);
  await work();
  clearImmediate(next);
  return turns;
}

test('a setting of the fleet reaches each of many devices as the store has it', async () => {
  expect((await patch('fleet', { AV_VIDEO_WIDTH: 640 })).statusCode).toBe(200);
  await until('all to be sent it', 25_000, haveAllGot(ids, 1));
  const stored = await allDevices(api.store().database);
  expect(stored.map(({ id }) => id).toSorted()).toEqual(ids);
  for (const { id, desiredRevision, desiredDigest } of stored) {
    expect(sentTo(id)).toMatchObject([{ levels: { fleet: { AV_VIDEO_WIDTH: 640 } }, revision: desiredRevision, digest: desiredDigest }]);
  }
});

test('a setting of a group reaches all of its devices, and nobody else', async () => {
  const inHall = (await allDevices(api.store().database)).filter(({ groupName }) => groupName === 'hall').map(({ id }) => id);
  await patch('groups/hall', { AV_VIDEO_WIDTH: 640 });
  await until('all of the group to be sent it', 25_000, haveAllGot(inHall, 1));
  expect(new Set(api.published.map(({ deviceId }) => deviceId))).toEqual(new Set(inHall));
});

test('what is newer than what waits to be sent is sent at once, and nothing older after it', async () => {
  const last = ids.at(-1) ?? '';
  await api.app.settings.patch(fleet, { AV_VIDEO_WIDTH: 640 }, 'admin');
  expect(sentTo(last)).toEqual([]);
  await api.app.settings.patch({ level: 'device', scope: last }, { AV_VIDEO_HEIGHT: 480 }, 'admin');
  expect(sentTo(last).at(-1)?.levels.device).toEqual({ AV_VIDEO_HEIGHT: 480 });
  await patch('fleet', { AV_VIDEO_WIDTH: 800 });
  await until('all to be sent the newest', 25_000, () => ids.every((id) => sentTo(id).at(-1)?.levels.fleet['AV_VIDEO_WIDTH'] === 800));
  for (const id of ids) {
    const revisions = sentTo(id).map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
  }
  expect(sentTo(last).at(-1)?.levels.device).toEqual({ AV_VIDEO_HEIGHT: 480 });
});

test('others have their turn while new revisions are made, while they are sent, and while they are sent again', async () => {
  const { settings } = api.app;
  const { database } = api.store();
  await settings.patch(fleet, { AV_VIDEO_WIDTH: 640 }, 'admin');
  expect(api.published.length).toBeLessThan(many);
  await until('all to be sent it', 25_000, haveAllGot(ids, 1));
  // On SQLite nothing of it waits for anything but others.
  expect(await turnsDuring(() => inTransaction(database, (transaction) => settings.refresh(transaction, fleet)))).toBeGreaterThan(1);
  expect(await turnsDuring(() => settings.sendAgain(fleet))).toBeGreaterThan(1);
  expect(haveAllGot(ids, 2)()).toBe(true);
});
