import { afterEach, beforeEach, expect, test } from 'vitest';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import type { Desired } from '#protocol/messages.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { GroupingResult } from '#protocol/model/device.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { connectMany, joinMany, many } from '../many-devices.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const move = (payload: object) => api.request({ method: 'POST', url: '/api/v1/devices/grouping', payload });
const groupsSent = (id: string) =>
  api.published.filter(({ deviceId }) => deviceId === id).map(({ body }) => (body as Desired).levels.group);
const groups = async () => {
  const stored = (await allDevices(api.store().database)).map(({ groupName }) => groupName);
  return new Set([...stored, ...[...api.app.devices.list()].map(({ group }) => group)]);
};

test('many devices come to a group together, each gets what it sets once, and all are told of', async () => {
  const ids = await joinMany(api);
  await connectMany(api, ids);
  await api.request({ method: 'PATCH', url: '/api/v1/groups/stage/settings', payload: { AV_VIDEO_BITRATE: 900 } });
  const told = new Set<string | undefined>();
  api.app.changes.subscribe(({ change }) => {
    if (change.subject === 'device') told.add(change.deviceId);
  });
  expect((await move({ matching: {}, group: 'stage' })).json<GroupingResult>()).toEqual({ selected: many, changed: many });
  expect(await groups()).toEqual(new Set(['stage']));
  expect([...told].toSorted()).toEqual(ids);
  await until('each of many devices to be sent it', 10_000, () => ids.every((id) => groupsSent(id).length > 0));
  for (const id of ids) expect(groupsSent(id)).toEqual([{ AV_VIDEO_BITRATE: 900 }]);
  const audit = await api.request({ method: 'GET', url: '/api/v1/audit-log?action=devices-moved' });
  expect(audit.json<AuditPage>().entries.map(({ subject }) => subject)).toEqual([`${many} devices`]);
});

test('of many devices none comes to a group when one is unknown', async () => {
  const ids = await joinMany(api);
  const before = await groups();
  expect((await move({ deviceIds: [...ids, 'd-unknown00000'], group: 'stage' })).statusCode).toBe(404);
  expect(await groups()).toEqual(before);
});
