import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { BatchStatus } from '#protocol/model/command.ts';
import type { DeviceDetail, DeviceList, TaggingResult, TagList } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const get = (query: string) => api.request({ method: 'GET', url: `/api/v1/devices?${query}` });
const list = async (query: string) => (await get(query)).json<DeviceList>();
const names = async (query: string) => (await list(query)).devices.map(({ name }) => name);
const post = (url: string, payload: object) => api.request({ method: 'POST', url: `/api/v1/${url}`, payload });

/** Live: 2600 kbit/s arrive. Offline: it has joined and was never heard. */
async function aDevice(name: string, state: 'live' | 'connected' | 'offline', group = 'hall'): Promise<string> {
  const { deviceId } = await api.join({ name, group });
  if (state === 'offline') return deviceId;
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('presence', bodies.online);
  if (state === 'live') {
    await voice.say('report', bodies.report());
    api.app.devices.setReception(deviceId, bodies.reception);
  }
  return deviceId;
}

const wrongQueries = [
  ['a cursor of nobody', 'after=nonsense'],
  ['a cursor that is JSON and no cursor', `after=${Buffer.from('[1,2]').toString('base64url')}`],
  ['a cursor of another order', `sort=heard&after=${Buffer.from('["name",false,0,"a","d-1"]').toString('base64url')}`],
  ['a cursor of the other direction', `after=${Buffer.from('["name",true,0,"a","d-1"]').toString('base64url')}`],
  ['a cursor that is too long', `after=${'a'.repeat(1001)}`],
  ['both ways to page', `skip=1&after=${Buffer.from('["name",false,0,"a","d-1"]').toString('base64url')}`],
  ['an order that there is not', 'sort=beauty'],
  ['a direction that is no truth', 'descending=perhaps'],
  ['a state that there is not', 'state=dancing'],
  ['ten thousand letters', `search=${'a'.repeat(10_000)}`],
  ['a page before the first', 'skip=-1'],
  ['a page of nothing', 'limit=0'],
  ['a page of too many', 'limit=501'],
  ['a filter that it does not know', 'groop=hall'],
] as const;

test('whatever is wrong in the question is refused with what was expected', async () => {
  for (const [what, query] of wrongQueries) {
    const answer = await get(query);
    expect(answer.statusCode, what).toBe(400);
    const problem = answer.json<{ code: string; problems: { key: string }[] }>();
    expect(problem.code, what).toBe('wrong-fields');
    expect(problem.problems[0]?.key, what).toMatch(/^querystring/);
  }
});

test('a search in a language of signs is taken as words', async () => {
  await aDevice('Bühne (1) 100%_\\', 'connected');
  expect(await names(`search=${encodeURIComponent('100%_\\ BÜHNE (1)')}`)).toEqual(['Bühne (1) 100%_\\']);
  expect(await names(`search=${encodeURIComponent('.*')}`)).toEqual([]);
});

test('states are counted among those that match otherwise, whichever state is asked for', async () => {
  await aDevice('one', 'live');
  await aDevice('two', 'live');
  await aDevice('three', 'offline');
  await aDevice('four', 'live', 'attic');
  const page = await list('group=hall&state=offline');
  expect(page.devices.map(({ name }) => name)).toEqual(['three']);
  expect(page.total).toBe(1);
  expect(page.states).toEqual([
    { state: 'offline', count: 1 },
    { state: 'live', count: 2 },
  ]);
});

test('what needs somebody comes first, by urgency; a figure that a device has not comes last either way', async () => {
  await aDevice('fine', 'live');
  await aDevice('gone', 'offline');
  await aDevice('quiet', 'offline');
  expect(await names('sort=urgency')).toEqual(['gone', 'quiet', 'fine']);
  expect((await names('sort=bitrate'))[0]).toBe('fine');
  expect((await names('sort=bitrate&descending=true'))[0]).toBe('fine');
  expect(await names('descending=true')).toEqual(['quiet', 'gone', 'fine']);
});

test('one that is shut out comes with those that are stopped, after those that somebody has to look after', async () => {
  const blocked = await aDevice('blocked', 'live');
  await aDevice('gone', 'offline');
  const decided = await api.request({ method: 'POST', url: `/api/v1/devices/${blocked}/access`, payload: { decision: 'block' } });
  expect(decided.statusCode).toBe(204);
  await aDevice('another that is gone', 'offline');
  expect(await names('sort=urgency')).toEqual(['another that is gone', 'gone', 'blocked']);
});

test('a device whose settings were refused is more urgent than one that is fine', async () => {
  await aDevice('a fine one', 'live');
  const refuser = await aDevice('refuser', 'live');
  const voice = api.voice(refuser);
  voice.newSession();
  voice.connect();
  await voice.say('hello', bodies.hello());
  await api.request({ method: 'PATCH', url: `/api/v1/devices/${refuser}/settings`, payload: { AV_VIDEO_BITRATE: 900 } });
  const revision = api.lastDesired(refuser)?.revision ?? 0;
  const refusals = [{ key: 'AV_VIDEO_BITRATE', reason: 'no' }];
  await voice.say('applied', { revision, outcome: 'refused', refusals, inForceRevision: 0 });
  expect(await names('sort=urgency')).toEqual(['refuser', 'a fine one']);
});

test('pages by `skip` say where they are, and one that is beyond the end is empty', async () => {
  for (const name of ['c2', 'c10', 'c1']) await aDevice(name, 'connected');
  const second = await list('limit=2&skip=2');
  expect([second.devices.map(({ name }) => name), second.before, second.total, second.next]).toEqual([['c10'], 2, 3, null]);
  expect(await list('skip=100')).toMatchObject({ devices: [], before: 3, total: 3, next: null });
});

test('who goes on from a device in any order meets each once, also when the device is gone', async () => {
  for (const name of ['b', 'a', 'ä', 'b', 'c']) await aDevice(name, 'connected');
  for (const order of ['sort=name', 'sort=name&descending=true', 'sort=urgency', 'sort=bitrate&descending=true']) {
    const met: string[] = [];
    let after: string | null = null;
    do {
      const page: DeviceList = await list(`${order}&limit=2${after === null ? '' : `&after=${after}`}`);
      met.push(...page.devices.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect([met.length, new Set(met).size], order).toEqual([5, 5]);
  }
  const { devices, next } = await list('limit=2');
  await api.request({ method: 'DELETE', url: `/api/v1/devices/${devices[1]?.id}` });
  expect(await names(`limit=2&after=${next}`)).toEqual(['b', 'b']);
});

describe('tags for many', () => {
  test('are given and taken by id or by what matches, and stand in the audit log once', async () => {
    const one = await aDevice('one', 'connected');
    const two = await aDevice('two', 'offline');
    await api.request({ method: 'PATCH', url: `/api/v1/devices/${one}`, payload: { tags: ['old'] } });
    expect((await post('devices/tagging', { matching: {}, add: ['stage', 'c270'], remove: ['old'] })).json<TaggingResult>()).toEqual({
      selected: 2,
      changed: 2,
    });
    expect(await names('tag=stage')).toEqual(['one', 'two']);
    expect(await names('search=c270')).toEqual(['one', 'two']);
    const again = await post('devices/tagging', { deviceIds: [one], add: ['stage'], remove: [] });
    expect(again.json<TaggingResult>()).toEqual({ selected: 1, changed: 0 });
    await post('devices/tagging', { matching: { state: 'offline' }, add: [], remove: ['stage'] });
    expect((await api.request({ method: 'GET', url: '/api/v1/tags' })).json<TagList>().tags).toEqual([
      { name: 'c270', deviceCount: 2 },
      { name: 'stage', deviceCount: 1 },
    ]);
    const device = (await api.request({ method: 'GET', url: `/api/v1/devices/${one}` })).json<DeviceDetail>();
    expect(device.tags).toEqual(['c270', 'stage']);
    const audit = (await api.request({ method: 'GET', url: '/api/v1/audit-log?action=devices-tagged' })).json<AuditPage>();
    expect(audit.entries.map(({ subject, changes }) => [subject, changes])).toEqual([
      [
        '1 device',
        [
          { field: 'tags removed', before: null, after: 'stage' },
          { field: 'devices', before: null, after: two },
        ],
      ],
      [
        '2 devices',
        [
          { field: 'tags added', before: null, after: 'stage c270' },
          { field: 'tags removed', before: null, after: 'old' },
          { field: 'devices', before: null, after: [one, two].toSorted().join(', ') },
        ],
      ],
    ]);
  });

  test('are refused, and nothing is changed, when it is not clear who is meant or what they are given', async () => {
    const one = await aDevice('one', 'connected');
    await api.request({ method: 'PATCH', url: `/api/v1/devices/${one}`, payload: { tags: ['old'] } });
    const wrong = [
      ['nobody is named', { add: ['a'], remove: [] }],
      ['both ways to name them', { deviceIds: ['d-1'], matching: {}, add: ['a'], remove: [] }],
      ['nothing matches', { matching: { group: 'nowhere' }, add: ['a'], remove: [] }],
      ['a filter is misspelt', { matching: { groop: 'hall' }, add: ['a'], remove: [] }],
      ['a tag is given and taken', { matching: {}, add: ['a'], remove: ['a'] }],
      ['it would be too many on a device', { matching: {}, add: Array.from({ length: 20 }, (_, index) => `t${index}`), remove: [] }],
    ] as const;
    for (const [why, payload] of wrong) expect((await post('devices/tagging', payload)).statusCode, why).toBe(400);
    expect((await list('')).devices[0]?.tags).toEqual(['old']);
  });

  test('a viewer gives none', async () => {
    await aDevice('one', 'connected');
    const as = await api.addPerson('vera', 'viewer');
    const payload = { matching: {}, add: ['a'], remove: [] };
    expect((await api.request({ method: 'POST', url: '/api/v1/devices/tagging', payload, as })).statusCode).toBe(403);
  });
});

test('a command to all that match goes to those, and to nobody when a filter is misspelt', async () => {
  const live = await aDevice('one', 'live');
  await aDevice('two', 'offline');
  const batch = (await post('commands', { kind: 'restart-pipeline', matching: { state: 'live' } })).json<BatchStatus>();
  expect(batch.commands.map(({ deviceId }) => deviceId)).toEqual([live]);
  expect((await post('commands', { kind: 'restart-pipeline', matching: { stat: 'live' } })).statusCode).toBe(400);
  expect((await post('commands', { kind: 'restart-pipeline', matching: { search: 'nobody' } })).statusCode).toBe(400);
  expect((await post('commands', { kind: 'restart-pipeline', matching: {}, group: 'hall' })).statusCode).toBe(400);
});

test('those that are shut out are counted, listed alone or left out, and can be asked together', async () => {
  const blocked = await aDevice('alpha', 'offline');
  await aDevice('beta', 'offline');
  await aDevice('gamma', 'live');
  await aDevice('delta', 'offline', 'foyer');
  expect((await list('')).blocked).toBe(0);
  await post(`devices/${blocked}/access`, { decision: 'block' });
  const only = await list('blocked=true');
  expect(only.devices.map(({ id }) => id)).toEqual([blocked]);
  // As with states: what would match otherwise is counted, so that it can be chosen.
  expect(only).toMatchObject({ total: 1, blocked: 1 });
  expect(only.states.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  expect(await names('blocked=false&group=hall')).toEqual(['beta', 'gamma']);
  expect(await names('blocked=true&state=live')).toEqual([]);
  expect((await list('group=foyer')).blocked).toBe(0);
  expect((await get('blocked=perhaps')).statusCode).toBe(400);
  const tagged = await post('devices/tagging', { matching: { blocked: true }, add: ['mend'], remove: [] });
  expect(tagged.json<TaggingResult>()).toEqual({ selected: 1, changed: 1 });
  await post(`devices/${blocked}/access`, { decision: 'let-in' });
  expect(await list('tag=mend')).toMatchObject({ total: 1, blocked: 0 });
});
