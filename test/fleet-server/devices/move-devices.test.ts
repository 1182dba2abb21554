import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allDevices } from '#fleet-server/devices/devices-store.ts';
import type { Desired } from '#protocol/messages.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { Change } from '#protocol/model/change.ts';
import type { DeviceDetail, DeviceList, GroupingResult, GroupList } from '#protocol/model/device.ts';
import type { RolloutDetail } from '#protocol/model/rollout.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';
import { connectMany, joinMany, many } from '../many-devices.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const get = async <T>(url: string) => (await api.request({ method: 'GET', url: `/api/v1/${url}` })).json<T>();
const patch = (url: string, payload: object) => api.request({ method: 'PATCH', url: `/api/v1/${url}`, payload });
const move = (payload: object) => api.request({ method: 'POST', url: '/api/v1/devices/grouping', payload });
const groupOf = async (id: string) => (await get<DeviceDetail>(`devices/${id}`)).group;
const idsIn = async (group: string) => (await get<DeviceList>(`devices?group=${group}`)).devices.map(({ id }) => id).toSorted();
const revisionOf = async (id: string) => (await get<DeviceDetail>(`devices/${id}`)).settings.desiredRevision;

async function aDevice(name: string, group?: string): Promise<DeviceVoice> {
  const voice = api.voice((await api.join({ name, ...(group === undefined ? {} : { group }) })).deviceId);
  voice.connect();
  await voice.say('presence', bodies.online);
  return voice;
}

/** Says that what it was last sent is in force. */
async function confirm(voice: DeviceVoice): Promise<void> {
  const { revision = 1 } = api.lastDesired(voice.id) ?? {};
  await voice.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
}

describe('many devices', () => {
  test('come to a group by id or by what matches, get what it sets at once, and stand in the audit log once', async () => {
    const [one, two, three] = [await aDevice('one', 'hall'), await aDevice('two', 'foyer'), await aDevice('three')];
    await patch('groups/stage/settings', { AV_VIDEO_BITRATE: 900 });
    await patch('groups/hall/settings', { AV_KEYFRAME_INTERVAL: 4 });
    const heard: Change[] = [];
    api.app.changes.subscribe(({ change }) => heard.push(change));
    const moved = await move({ deviceIds: [one.id, two.id, three.id], group: 'stage' });
    expect(moved.json<GroupingResult>()).toEqual({ selected: 3, changed: 3 });
    expect(await idsIn('stage')).toEqual([one.id, two.id, three.id].toSorted());
    for (const { id } of [one, two, three]) {
      expect(api.lastDesired(id)?.levels.group).toEqual({ AV_VIDEO_BITRATE: 900 });
      expect(api.lastDesired(id)?.revision).toBe(await revisionOf(id));
      for (const subject of ['device', 'device-settings'] as const) expect(heard).toContainEqual({ subject, deviceId: id });
    }
    expect(heard).toContainEqual({ subject: 'groups' });
    expect((await get<GroupList>('groups')).groups.map(({ name, deviceCount }) => [name, deviceCount])).toEqual([
      ['hall', 0],
      ['stage', 3],
    ]);

    expect((await move({ matching: { group: 'stage' }, group: null })).json<GroupingResult>()).toEqual({ selected: 3, changed: 3 });
    expect([await groupOf(one.id), api.lastDesired(one.id)?.levels.group]).toEqual([null, {}]);
    const { entries } = await get<AuditPage>('audit-log?action=devices-moved');
    const all = [one.id, two.id, three.id].toSorted().join(', ');
    expect(entries.map(({ subject, changes }) => [subject, changes])).toEqual([
      [
        '3 devices',
        [
          { field: 'group', before: 'stage', after: null },
          { field: 'devices', before: null, after: all },
        ],
      ],
      [
        '3 devices',
        [
          { field: 'group', before: 'hall', after: 'stage' },
          { field: 'devices', before: null, after: one.id },
          { field: 'group', before: 'foyer', after: 'stage' },
          { field: 'devices', before: null, after: two.id },
          { field: 'group', before: null, after: 'stage' },
          { field: 'devices', before: null, after: three.id },
        ],
      ],
    ]);
  });

  test('that are there already are left as they are, and so is the revision of those to which nothing changes', async () => {
    const [one, two] = [await aDevice('one', 'hall'), await aDevice('two', 'stage')];
    const before = await revisionOf(one.id);
    expect((await move({ deviceIds: [one.id, two.id], group: 'stage' })).json<GroupingResult>()).toEqual({ selected: 2, changed: 1 });
    expect(await revisionOf(one.id)).toBe(before);
    expect(api.lastDesired(one.id)).toBeUndefined();
    expect((await move({ matching: {}, group: 'stage' })).json<GroupingResult>()).toEqual({ selected: 2, changed: 0 });
    const { entries } = await get<AuditPage>('audit-log?action=devices-moved');
    expect(entries.map(({ subject }) => subject)).toEqual(['1 device']);
  });

  test('become what one becomes that is moved by itself', async () => {
    await patch('groups/stage/settings', { AV_VIDEO_BITRATE: 900, AV_STREAM_KEY: 'the-key-of-stage' });
    const [alone, among] = [await aDevice('alone', 'hall'), await aDevice('among', 'hall')];
    const waiting = (await api.join({ name: 'away', group: 'hall' })).deviceId;
    await patch(`devices/${alone.id}`, { group: 'stage' });
    await move({ deviceIds: [among.id, waiting], group: 'stage' });
    const [a, b] = [api.lastDesired(alone.id), api.lastDesired(among.id)];
    expect([b?.revision, b?.levels]).toEqual([a?.revision, a?.levels]);
    // One that is away gets it with its hello.
    expect([await revisionOf(waiting), api.lastDesired(waiting)]).toEqual([a?.revision, undefined]);
    const voice = api.voice(waiting);
    voice.connect();
    await voice.say('hello', bodies.hello());
    expect(api.lastDesired(waiting)?.levels).toEqual(a?.levels);
    expect(api.logText()).not.toContain('the-key-of-stage');
  });
});

test('a roll-out that devices leave forgets them at once, and those that come get the change when it ends', async () => {
  const [one, two, late] = [await aDevice('a', 'hall'), await aDevice('b', 'hall'), await aDevice('c', 'stage')];
  for (const voice of [one, two, late]) await confirm(voice);
  const payload = { scope: { kind: 'group', name: 'hall' }, patch: { AV_VIDEO_BITRATE: 900 }, plan: { kind: 'all-at-once' } };
  const { id } = (await api.request({ method: 'POST', url: '/api/v1/rollouts', payload })).json<RolloutDetail>();
  const levels = (voice: DeviceVoice) => api.lastDesired(voice.id)?.levels.group;
  expect([levels(one), levels(two)]).toEqual([{ AV_VIDEO_BITRATE: 900 }, { AV_VIDEO_BITRATE: 900 }]);
  await move({ deviceIds: [one.id], group: 'stage' });
  await move({ deviceIds: [late.id], group: 'hall' });
  expect(levels(one)).toEqual({});
  expect(levels(late)).toBeUndefined();
  await api.clock.advance(1000);
  const states = async () => (await get<RolloutDetail>(`rollouts/${id}`)).devices.map((device) => [device.id, device.state]);
  expect(await states()).toEqual(expect.arrayContaining([[one.id, 'left']]));
  await confirm(two);
  await api.clock.advance(2000);
  expect((await get<RolloutDetail>(`rollouts/${id}`)).state).toBe('completed');
  expect([levels(one), levels(two), levels(late)]).toEqual([{}, { AV_VIDEO_BITRATE: 900 }, { AV_VIDEO_BITRATE: 900 }]);
});

describe('nothing is changed', () => {
  test('when it is not clear who is meant, or where to', async () => {
    const { id } = await aDevice('one', 'hall');
    const wrong = [
      ['nobody is named', { group: 'stage' }],
      ['both ways to name them', { deviceIds: [id], matching: {}, group: 'stage' }],
      ['nothing matches', { matching: { group: 'nowhere' }, group: 'stage' }],
      ['a filter is misspelt', { matching: { groop: 'hall' }, group: 'stage' }],
      ['no group is said', { deviceIds: [id] }],
      ['a group has no name', { deviceIds: [id], group: '' }],
      ['a name is no word', { deviceIds: [id], group: '../stage' }],
      ['a name is another alphabet’s', { deviceIds: [id], group: 'bühne' }],
      ['a name is too long', { deviceIds: [id], group: 'x'.repeat(41) }],
      ['a device is named twice', { deviceIds: [id, id], group: 'stage' }],
    ] as const;
    for (const [why, payload] of wrong) expect((await move(payload)).statusCode, why).toBe(400);
    expect((await move({ deviceIds: [id, 'd-nobody'], group: 'stage' })).statusCode).toBe(404);
    expect(await groupOf(id)).toBe('hall');
    expect((await get<AuditPage>('audit-log?action=devices-moved')).entries).toEqual([]);
  });

  test('by a viewer, by who is not signed in, or from a foreign page', async () => {
    const { id } = await aDevice('one', 'hall');
    const ask = { method: 'POST', url: '/api/v1/devices/grouping', payload: { deviceIds: [id], group: 'stage' } } as const;
    expect((await api.request({ ...ask, as: await api.addPerson('vera', 'viewer') })).statusCode).toBe(403);
    expect((await api.request({ ...ask, as: null })).statusCode).toBe(401);
    expect((await api.request({ ...ask, headers: { origin: 'https://elsewhere.example' } })).statusCode).toBe(403);
    expect(await groupOf(id)).toBe('hall');
    expect((await api.request({ ...ask, as: await api.addPerson('olga', 'operator') })).statusCode).toBe(200);
    expect(await groupOf(id)).toBe('stage');
  });
});

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
  await until('each of many devices to be sent it', 25_000, () => ids.every((id) => groupsSent(id).length > 0));
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
