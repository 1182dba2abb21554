import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceSetting, DeviceSettings, LevelSettings } from '#protocol/model/settings.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  id = (await api.join({ group: 'hall' })).deviceId;
  voice = api.voice(id);
  voice.connect();
});
afterEach(() => api.close());

const patch = (where: string, payload: object) => api.request({ method: 'PATCH', url: `/api/v1/${where}/settings`, payload });
const settings = async () => (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/settings` })).json<DeviceSettings>();
const setting = async (key: string) => (await settings()).settings.find((entry) => entry.key === key) as DeviceSetting;
const width = (value: number, level: 'fleet' | 'group' | 'device' | 'default') => ({ AV_VIDEO_WIDTH: { value, level } });
const plain = (value: unknown) => ({ kind: 'plain', value });

describe('three levels', () => {
  test('the strongest level counts, each shows what it sets, and unsetting falls back to the one below', async () => {
    expect((await patch('fleet', { AV_VIDEO_WIDTH: 1920 })).statusCode).toBe(200);
    expect((await patch('groups/hall', { AV_VIDEO_WIDTH: '1024' })).statusCode).toBe(200);
    expect((await patch('groups/elsewhere', { AV_VIDEO_WIDTH: 320 })).statusCode).toBe(200);
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ desired: plain(1024), desiredLevel: 'group' });
    await patch(`devices/${id}`, { AV_VIDEO_WIDTH: 640 });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({
      desired: plain(640),
      desiredLevel: 'device',
      levels: { fleet: plain(1920), group: plain(1024), device: plain(640) },
    });
    await patch(`devices/${id}`, { AV_VIDEO_WIDTH: null });
    await patch('groups/hall', { AV_VIDEO_WIDTH: null });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ desired: plain(1920), desiredLevel: 'fleet', levels: { fleet: plain(1920) } });
    await patch('fleet', { AV_VIDEO_WIDTH: null });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ desired: plain(1280), desiredLevel: 'default', levels: {} });
  });

  test('what nobody on the server sets is wanted as the device says it has it', async () => {
    await voice.say('report', bodies.report());
    expect(await setting('AV_VIDEO_BITRATE')).toMatchObject({
      desired: plain(1500),
      desiredLevel: 'environment',
      inForce: plain(1500),
      inForceLevel: 'environment',
      state: 'applied',
    });
  });

  test('a level answers with who set what', async () => {
    const response = await patch('fleet', { AV_VIDEO_WIDTH: 1920, AV_STREAM_KEY: 'abc-secret' });
    expect(response.json<LevelSettings>()).toMatchObject({
      level: 'fleet',
      settings: [
        { key: 'AV_STREAM_KEY', value: { kind: 'secret' }, setBy: 'admin' },
        { key: 'AV_VIDEO_WIDTH', value: plain(1920), setBy: 'admin' },
      ],
    });
  });

  test('a device that comes to another group gets that group’s settings', async () => {
    await patch('groups/stage', { AV_VIDEO_WIDTH: 800 });
    const response = await api.request({ method: 'PATCH', url: `/api/v1/devices/${id}`, payload: { group: 'stage', name: 'Left' } });
    expect(response.json()).toMatchObject({ name: 'Left', group: 'stage', settings: { kind: 'pending' } });
    expect(api.lastDesired(id)?.levels.group).toEqual({ AV_VIDEO_WIDTH: 800 });
  });
});

describe('on the way to the device', () => {
  test('each change is one revision more, and one that changes nothing is none', async () => {
    const revisions = [];
    for (const value of [640, 640, 800, 640]) {
      revisions.push((await patch(`devices/${id}`, { AV_VIDEO_WIDTH: value })).json<DeviceSettings>().desiredRevision);
    }
    expect(revisions).toEqual([2, 2, 3, 4]);
    expect(api.published.map(({ body }) => (body as { revision: number }).revision)).toEqual([2, 3, 4]);
  });

  test('pending until the device says so, then applied with the level in force', async () => {
    await voice.say('report', bodies.report());
    const before = (await patch(`devices/${id}`, { AV_VIDEO_WIDTH: 640 })).json<DeviceSettings>();
    expect(before).toMatchObject({ state: 'pending', desiredRevision: 2, appliedRevision: 0 });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'pending', inForce: plain(1280), inForceLevel: 'default' });
    expect(await setting('AV_VIDEO_BITRATE')).toMatchObject({ state: 'applied' });

    await voice.say('applied', { revision: 2, outcome: 'applied', refusals: [], inForceRevision: 2 });
    // The report follows; what was applied is known already.
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'applied', inForce: plain(640), inForceLevel: 'device' });
    await voice.say('report', bodies.report({ settings: width(640, 'device'), appliedRevision: 2 }));
    expect(await settings()).toMatchObject({ state: 'applied', appliedRevision: 2 });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'applied', inForce: plain(640), inForceLevel: 'device' });

    await patch(`devices/${id}`, { AV_VIDEO_WIDTH: null });
    await voice.say('applied', { revision: 3, outcome: 'applied', refusals: [], inForceRevision: 3 });
    // What is in force instead only the report can tell.
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'pending' });
    await voice.say('report', bodies.report({ appliedRevision: 3 }));
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'applied', inForce: plain(1280), inForceLevel: 'default' });
  });

  test('refused: the reason stands at the setting and at the device, and the next change is pending again', async () => {
    await voice.say('report', bodies.report());
    await patch(`devices/${id}`, { AV_VIDEO_SOURCE: '/dev/video7', AV_VIDEO_WIDTH: 640 });
    const refusals = [{ key: 'AV_VIDEO_SOURCE', reason: 'expected a camera that is there, got /dev/video7' }];
    await voice.say('applied', { revision: 2, outcome: 'refused', refusals, inForceRevision: 0 });
    expect(await settings()).toMatchObject({ state: 'refused', desiredRevision: 2, appliedRevision: 0 });
    expect(await setting('AV_VIDEO_SOURCE')).toMatchObject({ state: 'refused', reason: refusals[0]?.reason });
    expect(await setting('AV_VIDEO_WIDTH')).toMatchObject({ state: 'refused', reason: expect.stringContaining('nothing of that change') });
    const device = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}` })).json<{ settings: unknown }>();
    expect(device.settings).toMatchObject({ kind: 'refused', reason: expect.stringContaining('/dev/video7') });

    await patch(`devices/${id}`, { AV_VIDEO_SOURCE: null });
    expect(await settings()).toMatchObject({ state: 'pending', desiredRevision: 3 });
    expect(await setting('AV_VIDEO_SOURCE')).toMatchObject({ state: 'applied' });
  });

  test('a late word about an older revision changes nothing', async () => {
    for (const value of [640, 800]) await patch(`devices/${id}`, { AV_VIDEO_WIDTH: value });
    await voice.say('applied', { revision: 3, outcome: 'applied', refusals: [], inForceRevision: 3 });
    await voice.say('applied', { revision: 2, outcome: 'refused', refusals: [], inForceRevision: 1 });
    expect(await settings()).toMatchObject({ state: 'applied', appliedRevision: 3 });
  });

  test('hello is answered with the document if revision or digest differ, and with nothing if they do not', async () => {
    await voice.say('hello', bodies.hello());
    const first = api.lastDesired(id);
    expect(first).toMatchObject({ revision: 1, relay: { host: null, port: 1935, application: 'live' } });
    expect(first?.relay?.streamKey).toBe(`${id}?key=${api.app.devices.rights.streamKeyFor(id)}`);
    api.published.length = 0;
    voice.newSession();
    await voice.say('hello', bodies.hello(1, first?.digest ?? null));
    expect(api.published).toEqual([]);
    expect(await settings()).toMatchObject({ state: 'applied', appliedRevision: 1 });
  });

  test('a device that claims a higher revision with other content gets one above it', async () => {
    await voice.say('hello', bodies.hello(40, 'b'.repeat(64)));
    expect(api.lastDesired(id)?.revision).toBe(41);
    await patch(`devices/${id}`, { AV_VIDEO_WIDTH: 640 });
    expect(api.lastDesired(id)?.revision).toBe(42);
  });

  test('one that claims a higher revision with the same content is believed', async () => {
    await voice.say('hello', bodies.hello());
    voice.newSession();
    await voice.say('hello', bodies.hello(7, api.lastDesired(id)?.digest ?? null));
    expect(await settings()).toMatchObject({ state: 'applied', desiredRevision: 7, appliedRevision: 7 });
  });
});

describe('wrong settings', () => {
  test('every problem is listed at once, and nothing is changed', async () => {
    const response = await patch(`devices/${id}`, {
      AV_VIDEO_WIDTH: 5,
      AV_AUDIO_SRC: 'filesrc location=/etc/passwd',
      AV_NOTHING: 'a-hidden-thing',
      AV_STREAM_KEY: 'with spaces',
      AV_VIDEO_HEIGHT: 480,
    });
    expect(response.statusCode).toBe(400);
    const problem = response.json<{ code: string; problems: { key: string }[] }>();
    expect(problem.code).toBe('settings-refused');
    expect(problem.problems.map(({ key }) => key)).toEqual(['AV_VIDEO_WIDTH', 'AV_AUDIO_SRC', 'AV_NOTHING', 'AV_STREAM_KEY']);
    expect(response.body).not.toContain('with spaces');
    expect(response.body).not.toContain('a-hidden-thing');
    expect(await setting('AV_VIDEO_HEIGHT')).toMatchObject({ levels: {} });
    expect((await settings()).desiredRevision).toBe(1);
  });

  test('an unknown device is not found', async () => {
    expect((await patch('devices/d-nothing00', { AV_VIDEO_WIDTH: 640 })).statusCode).toBe(404);
  });
});

test('a secret is in no answer, no log line, no history and not readable in the store, but it reaches its device', async () => {
  const secret = 'live_abc123-very-secret';
  const streamKey = api.app.devices.rights.streamKeyFor(id);
  await patch(`devices/${id}`, { AV_STREAM_KEY: secret });
  await patch('fleet', { AV_STREAM_KEY: secret });
  await patch('groups/hall', { AV_STREAM_KEY: secret });
  await voice.say('hello', bodies.hello());
  await voice.say('report', bodies.report());
  expect(api.lastDesired(id)?.levels.device).toEqual({ AV_STREAM_KEY: secret });
  const texts = [api.logText()];
  const urls = [
    `devices/${id}`,
    `devices/${id}/settings`,
    `devices/${id}/history`,
    `devices/${id}/commands`,
    'devices',
    'fleet/settings',
    'groups/hall/settings',
  ];
  for (const url of urls) texts.push((await api.request({ method: 'GET', url: `/api/v1/${url}` })).body);
  for (const table of ['settings', 'settingsRevisionChanges', 'history', 'devices', 'deviceStates'] as const) {
    texts.push(JSON.stringify(await api.store().database.selectFrom(table).selectAll().execute()));
  }
  for (const text of texts) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(streamKey);
  }
});
