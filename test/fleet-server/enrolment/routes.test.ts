import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDeviceId } from '#fleet-server/enrolment/enrol.ts';
import { isDeviceId } from '#protocol/identifiers.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const makeToken = async (payload: object) =>
  (await api.request({ method: 'POST', url: '/api/v1/join-tokens', payload })).json<{ id: string; token: string }>();
const join = (joinToken: string) => api.app.inject({ method: 'POST', url: '/api/v1/enrolments', payload: { joinToken, name: 'pi' } });

describe('joining', () => {
  test('gives an id and a credential, which then opens the broker and nothing else does', async () => {
    const { token } = await makeToken({ group: 'hall' });
    const response = await join(token);
    expect(response.statusCode).toBe(201);
    const { deviceId, credential } = response.json<{ deviceId: string; credential: string }>();
    expect(deviceId).toMatch(/^d-[0-9a-hjkmnp-tv-z]{10}$/);
    expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(true);
    expect(api.app.devices.rights.authenticate(deviceId, `${credential}x`)).toBe(false);
    expect(api.app.devices.rights.authenticate(makeDeviceId(), credential)).toBe(false);
    const device = await api.request({ method: 'GET', url: `/api/v1/devices/${deviceId}` });
    expect(device.json()).toMatchObject({ name: 'pi', group: 'hall', presence: { state: 'offline' }, settings: { desiredRevision: 1 } });
    expect(device.body).not.toContain(credential);
    const rows = JSON.stringify(await api.store().database.selectFrom('devices').selectAll().execute());
    expect(rows).not.toContain(credential);
  });

  test.each([
    ['a wrong token', async () => 'x'.repeat(43)],
    [
      'a used-up token',
      async () => {
        const { token } = await makeToken({ uses: 1 });
        await join(token);
        return token;
      },
    ],
    [
      'an expired token',
      async () => {
        const { token } = await makeToken({ expiresInS: 60 });
        api.clock.jump(60_001);
        return token;
      },
    ],
    [
      'a token that was taken back',
      async () => {
        const { id, token } = await makeToken({});
        expect((await api.request({ method: 'DELETE', url: `/api/v1/join-tokens/${id}` })).statusCode).toBe(204);
        return token;
      },
    ],
  ])('%s lets nobody in', async (_name, prepare) => {
    const token = await prepare();
    const before = await api.store().database.selectFrom('devices').selectAll().execute();
    const response = await join(token);
    expect(response.statusCode).toBe(403);
    expect(response.json<{ code: string }>().code).toBe('join-token-refused');
    expect(await api.store().database.selectFrom('devices').selectAll().execute()).toHaveLength(before.length);
  });

  test('takes as many as the token has uses, and shows the token only once', async () => {
    const { token } = await makeToken({ uses: 2 });
    expect((await api.request({ method: 'GET', url: '/api/v1/join-tokens' })).body).not.toContain(token);
    const statuses = await Promise.all([join(token), join(token), join(token)]);
    expect(statuses.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 201, 403]);
    expect(JSON.stringify(await api.store().database.selectFrom('joinTokens').selectAll().execute())).not.toContain(token);
    expect(api.logText()).not.toContain(token);
  });

  test('is limited for one address', async () => {
    let last = 0;
    for (let attempt = 0; attempt < 61; attempt += 1) last = (await join('y'.repeat(43))).statusCode;
    expect(last).toBe(429);
  });
});

test('ids that the server makes are device ids, for every byte', () => {
  for (let byte = 0; byte < 256; byte += 1) expect(isDeviceId(makeDeviceId(new Uint8Array(10).fill(byte)))).toBe(true);
});

test('a removed device is gone: credential, stream key and settings', async () => {
  const { deviceId, credential } = await api.join();
  const key = api.app.devices.rights.streamKeyFor(deviceId);
  expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(true);
  await api.request({ method: 'PATCH', url: `/api/v1/devices/${deviceId}/settings`, payload: { AV_VIDEO_WIDTH: 640 } });
  expect((await api.request({ method: 'DELETE', url: `/api/v1/devices/${deviceId}` })).statusCode).toBe(204);
  expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(false);
  expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(false);
  expect((await api.request({ method: 'GET', url: `/api/v1/devices/${deviceId}` })).statusCode).toBe(404);
  expect(await api.store().database.selectFrom('settings').selectAll().execute()).toEqual([]);
  expect(await api.store().database.selectFrom('history').selectAll().execute()).toEqual([]);
});
