import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import type { History } from '#protocol/model/history.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
  voice = api.voice(id);
});
afterEach(() => api.close());

const device = async () => (await api.request({ method: 'GET', url: `/api/v1/devices/${id}` })).json<DeviceDetail>();

async function birth(): Promise<void> {
  voice.connect();
  await voice.say('presence', bodies.online);
  await voice.say('hello', bodies.hello());
  await voice.say('report', bodies.report());
}

describe('a device', () => {
  test('is shown live only while the relay receives it', async () => {
    await birth();
    expect((await device()).stream.kind).toBe('starting');
    await api.clock.advance(3500);
    const missing = await device();
    expect(missing.stream).toMatchObject({ kind: 'not-arriving', detail: expect.stringContaining('receives nothing') });
    expect(missing.conditions).toMatchObject([{ code: 'stream-not-arriving' }]);
    api.app.devices.setReception(id, bodies.reception);
    expect(await device()).toMatchObject({ stream: { kind: 'live' }, relay: { width: 1280 }, conditions: [] });
    api.app.devices.setReception(id, null);
    expect((await device()).stream.kind).toBe('starting');
  });

  test('shows figures while it is there and none of them after', async () => {
    await birth();
    await voice.say('health', bodies.health());
    expect(await device()).toMatchObject({
      presence: { state: 'online' },
      figures: { framesPerSecond: 30 },
      boardName: 'A computer',
      versions: { os: 'Debian' },
      capabilities: ['restart-pipeline'],
    });
    voice.disconnect();
    await api.clock.advance(1000);
    expect(await device()).toMatchObject({
      presence: { state: 'offline' },
      figures: null,
      board: null,
      media: null,
      outputs: [],
      boardName: 'A computer',
    });
  });

  test('shows what it has recorded while it is there, and says nothing of it for a device that does not tell', async () => {
    await birth();
    await voice.say('health', bodies.health());
    expect((await device()).recordings).toBe(null);
    const figures = {
      count: 3,
      totalBytes: 6e8,
      maximumBytes: 2e10,
      freeBytes: 1e10,
      protectedCount: 1,
      waitingCount: 1,
      unconvertibleCount: 0,
    };
    const recordings = { ...figures, oldestAt: '2026-11-21T10:00:00.000Z', newestAt: null };
    await voice.say('health', { ...bodies.health(), recordings });
    expect((await device()).recordings).toEqual(recordings);
    voice.disconnect();
    await api.clock.advance(1000);
    expect((await device()).recordings).toBe(null);
  });

  test('says what its bitrate is and why while it is there, and nothing for a device whose bitrate stays', async () => {
    await birth();
    await voice.say('health', bodies.health());
    expect((await device()).adaptation).toBe(null);
    const adaptation = { bitrateKbps: 1200, targetKbps: 3000, floorKbps: 400, limitedBy: 'rtmp', reason: 'rtmp takes no more' };
    await voice.say('health', { ...bodies.health(), adaptation });
    expect((await device()).adaptation).toEqual(adaptation);
    voice.disconnect();
    await api.clock.advance(1000);
    expect((await device()).adaptation).toBe(null);
  });

  test('ignores what is old: a message that was overtaken, one that comes twice, the death of an earlier session', async () => {
    await birth();
    await voice.say('health', bodies.health(25), { sequence: 50 });
    await voice.say('health', bodies.health(5), { sequence: 49 });
    await voice.say('health', bodies.health(6), { sequence: 50 });
    expect((await device()).figures?.framesPerSecond).toBe(25);
    await voice.say('applied', { revision: 7, outcome: 'applied', refusals: [], inForceRevision: 7 }, { sequence: 60 });
    await voice.say('report', bodies.report({ appliedRevision: 6 }), { sequence: 59 });
    expect((await device()).settings.appliedRevision).toBe(7);
    const old = api.voice(id);
    voice.newSession();
    await voice.say('presence', bodies.online);
    await old.say('presence', bodies.lost, { sequence: 0 });
    await api.clock.advance(2000);
    expect((await device()).presence.state).toBe('online');
    voice.disconnect();
    await voice.say('presence', bodies.lost, { sequence: 0 });
    await api.clock.advance(1000);
    expect((await device()).presence.state).toBe('offline');
  });

  test('that comes back with an older counter and another boot id is believed, and it is noted', async () => {
    await birth();
    for (let session = 0; session < 3; session += 1) voice.newSession();
    await voice.say('hello', bodies.hello());
    const copy = api.voice(id);
    copy.newSession('another-card');
    await copy.say('hello', bodies.hello());
    await copy.say('health', bodies.health(12));
    expect((await device()).figures?.framesPerSecond).toBe(12);
    const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
    expect(history.entries.map(({ kind }) => kind)).toContain('session-went-back');
  });

  test('has its comings and goings in its history', async () => {
    await birth();
    voice.disconnect('keepalive-timeout');
    await api.clock.advance(1000);
    const { entries } = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
    expect(entries.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['device-offline', 'No sign of life from it.'],
      ['device-online', 'Connected.'],
      ['joined', 'Joined as pi.'],
    ]);
  });

  test('is unknown after a restart of the server, with what was known of it, and offline when it does not come back', async () => {
    await birth();
    const { directory, clock } = api;
    const credential = (await api.join({ name: 'second' })).credential;
    await api.app.close();
    await api.store().close();
    api = await startApi({ directory, clock });
    voice = api.voice(id);
    expect(await device()).toMatchObject({ presence: { state: 'unknown' }, stream: { kind: 'unknown' }, boardName: 'A computer' });
    await api.clock.advance(15_000);
    expect((await device()).presence.state).toBe('unknown');
    await api.clock.advance(1500);
    expect(await device()).toMatchObject({ presence: { state: 'offline', reason: expect.stringContaining('Last heard at') } });
    expect([...api.app.devices.list()].some((live) => api.app.devices.rights.authenticate(live.id, credential))).toBe(true);
    // The session that was current before the restart still is: its messages count, older ones do not.
    voice.connect();
    voice.newSession();
    await voice.say('presence', bodies.online);
    expect((await device()).presence.state).toBe('online');
  });

  test('has a preview picture when it has sent one', async () => {
    expect((await api.request({ method: 'GET', url: `/api/v1/devices/${id}/preview.jpg` })).json()).toMatchObject({ code: 'no-preview' });
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    api.app.devices.onPicture(id, 'preview', jpeg);
    const response = await api.request({ method: 'GET', url: `/api/v1/devices/${id}/preview.jpg` });
    expect(response.headers['content-type']).toBe('image/jpeg');
    expect(response.rawPayload).toEqual(jpeg);
    expect((await device()).previewAt).toBe('2026-11-21T12:00:00.000Z');
  });

  test('keeps the snapshot that it was asked for, beside the previews', async () => {
    const url = `/api/v1/devices/${id}/snapshot.jpg`;
    expect((await device()).snapshotAt).toBe(null);
    expect((await api.request({ method: 'GET', url })).json()).toMatchObject({ code: 'no-snapshot' });
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 4, 5, 6]);
    api.app.devices.onPicture(id, 'snapshot', jpeg);
    api.app.devices.onPicture(id, 'preview', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1]));
    const response = await api.request({ method: 'GET', url });
    expect(response.headers['content-type']).toBe('image/jpeg');
    expect(response.rawPayload).toEqual(jpeg);
    expect((await device()).snapshotAt).toBe('2026-11-21T12:00:00.000Z');
    expect((await api.app.inject({ method: 'GET', url })).statusCode).toBe(401);
  });
});

test('the list is paged by name, each device once', async () => {
  for (const name of ['b', 'a', 'b', 'c']) await api.join({ name, group: 'hall' });
  const names: string[] = [];
  const ids = new Set<string>();
  let after: string | null = null;
  do {
    const query: string = after === null ? '' : `&after=${after}`;
    const page: DeviceList = (await api.request({ method: 'GET', url: `/api/v1/devices?limit=2${query}` })).json<DeviceList>();
    expect(page.total).toBe(5);
    for (const entry of page.devices) {
      names.push(entry.name);
      ids.add(entry.id);
    }
    after = page.next;
  } while (after !== null);
  expect(names).toEqual(['a', 'b', 'b', 'c', 'pi']);
  expect(ids.size).toBe(5);
  expect((await api.request({ method: 'GET', url: '/api/v1/devices?group=hall' })).json<DeviceList>().total).toBe(4);
});
