/** A newcomer that waits until a person has let it in. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AlertList } from '#protocol/model/alert.ts';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import type { JoinToken, JoinTokenList } from '#protocol/model/enrolment.ts';
import { type ApiUnderTest, bodies, type Joined, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const call = (method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object, as?: string | null) =>
  api.request({ method, url: `/api/v1${path}`, ...(payload === undefined ? {} : { payload }), ...(as === undefined ? {} : { as }) });
const get = async <T>(path: string) => (await call('GET', path)).json<T>();
const device = (id: string) => get<DeviceDetail>(`/devices/${id}`);
const decide = (id: string, decision: string, as?: string | null) => call('POST', `/devices/${id}/approval`, { decision }, as);

async function newcomer(name = 'pi'): Promise<Joined> {
  const made = await call('POST', '/join-tokens', { group: 'hall', tags: ['stage', 'loan'], approval: true });
  const { token } = made.json<JoinToken>();
  const joined = await api.app.inject({ method: 'POST', url: '/api/v1/enrolments', payload: { joinToken: token, name } });
  expect(joined.statusCode).toBe(201);
  return joined.json<Joined>();
}

describe('a device that joined with a token that asks for approval', () => {
  test('may connect and is shown as waiting, and gets neither a setting nor a key', async () => {
    await call('PATCH', '/fleet/settings', { AV_STREAM_KEY: 'the-secret-of-the-fleet', AV_VIDEO_WIDTH: 640 });
    const { deviceId, credential } = await newcomer();
    expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(true);
    const voice = api.voice(deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    expect(api.lastDesired(deviceId)).toMatchObject({
      levels: { fleet: {}, group: {}, device: {} },
      relay: null,
      waitsForApproval: true,
    });
    expect(JSON.stringify(api.published)).not.toContain('the-secret-of-the-fleet');
    expect(api.app.devices.rights.isStreamKeyRight(deviceId, api.app.devices.rights.streamKeyFor(deviceId))).toBe(false);
    await voice.say('report', bodies.report({ outputs: [] }));
    expect(await device(deviceId)).toMatchObject({
      group: 'hall',
      tags: ['loan', 'stage'],
      waitingSince: '2026-11-21T12:00:00.000Z',
      stream: { kind: 'stopped', detail: expect.stringContaining('waits for approval') },
      conditions: [{ code: 'waits-for-approval' }],
    });
    // What is changed meanwhile concerns it no more than before.
    const sent = api.published.length;
    await call('PATCH', '/groups/hall/settings', { AV_STREAM_KEY: 'another-secret' });
    expect(api.published.slice(sent)).toEqual([]);
    const preview = await call('POST', '/fleet/settings/preview', { AV_VIDEO_WIDTH: 800 });
    expect(preview.body).not.toContain(deviceId);
  });

  test('gets all of it at once when it is approved, and its key then opens the relay', async () => {
    await call('PATCH', '/fleet/settings', { AV_VIDEO_WIDTH: 640 });
    const { deviceId } = await newcomer();
    const voice = api.voice(deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    const waiting = api.lastDesired(deviceId);
    expect((await decide(deviceId, 'approve')).statusCode).toBe(204);
    const desired = api.lastDesired(deviceId);
    expect(desired).toMatchObject({ levels: { fleet: { AV_VIDEO_WIDTH: 640 } }, relay: { streamKey: expect.stringContaining(deviceId) } });
    expect(desired).not.toHaveProperty('waitsForApproval');
    expect(desired?.revision).toBe((waiting?.revision ?? 0) + 1);
    const [, key = ''] = desired?.relay?.streamKey.split('?key=') ?? [];
    expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(true);
    expect(await device(deviceId)).toMatchObject({ waitingSince: null, conditions: [] });
    expect((await decide(deviceId, 'approve')).json()).toMatchObject({ code: 'not-waiting' });
    expect((await decide(deviceId, 'reject')).json()).toMatchObject({ code: 'not-waiting' });
    const history = await call('GET', `/devices/${deviceId}/history`);
    expect(history.body).toContain('Approved by admin.');
    expect((await call('GET', '/audit-log')).body).toContain('device-approved');
  });

  test('is removed and cut off when it is rejected', async () => {
    const { deviceId, credential } = await newcomer();
    api.voice(deviceId).connect();
    expect(api.app.broker.isConnected(deviceId)).toBe(true);
    expect((await decide(deviceId, 'reject')).statusCode).toBe(204);
    expect(api.app.broker.isConnected(deviceId)).toBe(false);
    expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(false);
    expect((await call('GET', `/devices/${deviceId}`)).statusCode).toBe(404);
    expect((await call('GET', '/audit-log')).body).toContain('device-rejected');
  });

  test('waits on after a restart of the server', async () => {
    const { deviceId } = await newcomer();
    await api.stop();
    api = await startApi({ directory: api.directory, clock: api.clock });
    expect(api.app.devices.rights.isStreamKeyRight(deviceId, api.app.devices.rights.streamKeyFor(deviceId))).toBe(false);
    expect((await device(deviceId)).waitingSince).not.toBeNull();
  });

  test('is let in by operators and by nobody below them', async () => {
    const { deviceId } = await newcomer();
    expect((await decide(deviceId, 'approve', null)).statusCode).toBe(401);
    expect((await decide(deviceId, 'approve', await api.addPerson('eve', 'viewer'))).statusCode).toBe(403);
    expect((await decide(deviceId, 'let it in')).statusCode).toBe(400);
    expect((await decide('d-nobody', 'approve')).statusCode).toBe(404);
    expect((await decide(deviceId, 'approve', await api.addPerson('olaf', 'operator'))).statusCode).toBe(204);
  });

  test('is found among those that wait, and raises an alert until somebody has decided, connected or not', async () => {
    const { deviceId } = await newcomer('new one');
    const { deviceId: known } = await api.join({ name: 'old one' });
    const ids = async (query: string) => (await get<DeviceList>(`/devices?${query}`)).devices.map(({ id }) => id);
    expect(await ids('waiting=true')).toEqual([deviceId]);
    expect(await ids('waiting=false')).toEqual([known]);
    expect((await get<DeviceList>('/devices?waiting=true')).total).toBe(1);
    await api.clock.advance(3000);
    const open = async () => (await get<AlertList>('/alerts?resolved=false')).alerts.map(({ title }) => title);
    expect(await open()).toEqual(['new one: Waits for approval']);
    await decide(deviceId, 'approve');
    await api.clock.advance(60_000);
    expect(await open()).toEqual([]);
  });
});

test('a join token says which tags it gives, and whether it asks for approval', async () => {
  await newcomer();
  await call('POST', '/join-tokens', { uses: 3, tags: ['b', 'a', 'b'] });
  const { joinTokens } = await get<JoinTokenList>('/join-tokens');
  expect(joinTokens.map(({ tags, approval, usesLeft }) => ({ tags, approval, usesLeft }))).toEqual([
    { tags: ['a', 'b'], approval: false, usesLeft: 3 },
  ]);
});
