import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeviceDetail, DeviceList, GroupList } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const tag = async (id: string, tags: readonly string[]) =>
  api.request({ method: 'PATCH', url: `/api/v1/devices/${id}`, payload: { tags } });
const list = async (query: string) => (await api.request({ method: 'GET', url: `/api/v1/devices?${query}` })).json<DeviceList>();

test('tags are kept once each and in order, find devices together with the group, and stand in the audit log', async () => {
  const one = (await api.join({ name: 'one', group: 'hall' })).deviceId;
  const two = (await api.join({ name: 'two', group: 'stage' })).deviceId;
  expect((await tag(one, ['upstairs', 'c270', 'upstairs'])).json<DeviceDetail>().tags).toEqual(['c270', 'upstairs']);
  await tag(two, ['c2', 'upstairs']);
  expect((await list('tag=upstairs')).total).toBe(2);
  expect((await list('tag=c27')).devices).toEqual([]);
  expect((await list('tag=c2')).devices.map(({ id }) => id)).toEqual([two]);
  expect((await list('tag=upstairs&group=hall')).devices.map(({ id }) => id)).toEqual([one]);
  const audit = (await api.request({ method: 'GET', url: `/api/v1/audit-log?subject=${one}` })).body;
  expect(audit).toContain('"field":"tags","before":null,"after":"c270 upstairs"');
  expect((await tag(one, [])).json<DeviceDetail>().tags).toEqual([]);
});

test.each([['%'], ['UP'], ['a b'], ['_'], ['x'.repeat(41)]])('%s is no tag', async (word) => {
  const { deviceId } = await api.join();
  expect((await tag(deviceId, [word])).statusCode).toBe(400);
  expect((await api.request({ method: 'GET', url: `/api/v1/devices?tag=${encodeURIComponent(word)}` })).statusCode).toBe(400);
});

test('groups are those with devices and those that set something, with counts', async () => {
  const { deviceId } = await api.join({ name: 'one', group: 'hall' });
  await api.join({ name: 'two', group: 'hall' });
  await api.join({ name: 'three' });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('presence', bodies.online);
  api.app.devices.setReception(deviceId, bodies.reception);
  await api.request({ method: 'PATCH', url: '/api/v1/groups/empty/settings', payload: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 } });
  expect((await api.request({ method: 'GET', url: '/api/v1/groups' })).json<GroupList>().groups).toEqual([
    { name: 'empty', deviceCount: 0, onlineCount: 0, liveCount: 0, settingCount: 2 },
    { name: 'hall', deviceCount: 2, onlineCount: 1, liveCount: 1, settingCount: 0 },
  ]);
});
