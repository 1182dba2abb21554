import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccessToken, AccessTokenList } from '#protocol/model/access-token.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const make = async (scopes: readonly string[], as?: string, expiresInS = 3600): Promise<AccessToken> =>
  (
    await api.request({
      method: 'POST',
      url: '/api/v1/access-tokens',
      payload: { name: 'the CI', scopes, expiresInS },
      ...(as === undefined ? {} : { as }),
    })
  ).json<AccessToken>();
const use = (token: string | undefined, method: NonNullable<InjectOptions['method']>, url: string, payload?: object) =>
  api.app.inject({ method, url, headers: { authorization: `Bearer ${token}` }, ...(payload === undefined ? {} : { payload }) });
const list = async (as?: string) =>
  (await api.request({ method: 'GET', url: '/api/v1/access-tokens', ...(as === undefined ? {} : { as }) })).json<AccessTokenList>()
    .accessTokens;

describe('an access token', () => {
  test('is shown once, used without a cookie, and nowhere in store, list or log', async () => {
    const { token = '', id } = await make(['read']);
    expect(token).toMatch(/^msl_[\w-]{43}$/);
    expect((await use(token, 'GET', '/api/v1/devices')).statusCode).toBe(200);
    const [listed] = await list();
    expect(listed).toMatchObject({ id, name: 'the CI', scopes: ['read'], personName: 'admin', lastUsedAt: expect.any(String) });
    const rows = await api.store().database.selectFrom('accessTokens').selectAll().execute();
    expect(JSON.stringify([listed, rows]) + api.logText()).not.toContain(token.slice(4));
  });

  test('does what its scopes name and nothing else, whatever its person may do', async () => {
    const { deviceId } = await api.join();
    const reader = (await make(['read'])).token;
    const setter = (await make(['settings'])).token;
    const patch = { AV_VIDEO_BITRATE: 1000 };
    expect((await use(reader, 'PATCH', `/api/v1/devices/${deviceId}/settings`, patch)).json()).toEqual({
      code: 'not-allowed',
      message: 'Expected an access token with the scope settings, got one without.',
    });
    expect((await use(setter, 'PATCH', `/api/v1/devices/${deviceId}/settings`, patch)).statusCode).toBe(200);
    expect((await use(setter, 'GET', '/api/v1/devices')).statusCode).toBe(403);
    expect((await use(setter, 'DELETE', `/api/v1/devices/${deviceId}`)).statusCode).toBe(403);
  });

  test('of an operator is not an admin’s', async () => {
    const operator = await api.addPerson('ada', 'operator');
    const { token } = await make(['enrolment', 'commands'], operator);
    expect((await use(token, 'POST', '/api/v1/join-tokens', {})).statusCode).toBe(403);
  });

  test.each([
    ['GET', '/api/v1/people'],
    ['GET', '/api/v1/audit-log'],
    ['GET', '/api/v1/access-tokens'],
    ['POST', '/api/v1/access-tokens'],
  ] as const)('is never for %s %s: that is for people', async (method, url) => {
    const { token } = await make(['read', 'devices', 'settings', 'commands', 'enrolment']);
    const payload = method === 'POST' ? { name: 'more', scopes: ['read'], expiresInS: 3600 } : undefined;
    expect((await use(token, method, url, payload)).statusCode).toBe(403);
  });

  test('ends at its time, and when it is removed, by its person or by an admin', async () => {
    const { token: old } = await make(['read'], undefined, 60);
    api.clock.jump(60_001);
    expect((await use(old, 'GET', '/api/v1/devices')).statusCode).toBe(401);
    expect(await list()).toEqual([]);

    const ada = await api.addPerson('ada', 'viewer');
    const bob = await api.addPerson('bob', 'viewer');
    const adas = await make(['read'], ada);
    expect(await list(bob)).toEqual([]);
    const remove = (as?: string) =>
      api.request({ method: 'DELETE', url: `/api/v1/access-tokens/${adas.id}`, ...(as === undefined ? {} : { as }) });
    expect((await remove(bob)).statusCode).toBe(404);
    expect((await remove()).statusCode).toBe(204);
    expect((await use(adas.token, 'GET', '/api/v1/devices')).statusCode).toBe(401);
  });

  test('is not made for who is removed while they ask', async () => {
    const request = { name: 'the CI', scopes: ['read' as const], expiresInS: 3600 };
    await expect(api.app.accessTokens.create(request, 'gone')).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(await list()).toEqual([]);
  });

  test.each(['', 'msl_', 'x'.repeat(5000), "msl_' or 1=1 --", `msl_${'a'.repeat(43)}`])('that is made up is refused: %s', async (token) => {
    expect((await use(token, 'GET', '/api/v1/devices')).statusCode).toBe(401);
  });

  test.each([
    [{ name: 'x', scopes: [], expiresInS: 3600 }],
    [{ name: 'x', scopes: ['people'], expiresInS: 3600 }],
    [{ name: 'x', scopes: ['read'] }],
    [{ name: 'x', scopes: ['read'], expiresInS: 1e9 }],
    [{ name: '<script>', scopes: ['read'], expiresInS: 3600 }],
  ])('with wrong fields is not made: %o', async (payload) => {
    expect((await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload })).statusCode).toBe(400);
  });

  test('is one of fifty of a person', async () => {
    for (let count = 0; count < 50; count += 1) expect((await make(['read'])).token).toBeDefined();
    expect(await make(['read'])).toMatchObject({ code: 'too-many' });
  });
});
