import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { MadePerson, PersonList } from '#protocol/model/person.ts';
import { type ApiUnderTest, adminPassword, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const people = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path = '', payload?: object, as?: string) =>
  api.request({ method, url: `/api/v1/people${path}`, ...(payload === undefined ? {} : { payload }), ...(as === undefined ? {} : { as }) });
const who = (cookie: string) => api.request({ method: 'GET', url: '/api/v1/session', as: cookie });

describe('people', () => {
  test('are added with a password that is made and shown once, and sign in with it', async () => {
    const made = (await people('POST', '', { name: 'ada', role: 'operator' })).json<MadePerson>();
    expect(made).toEqual({ name: 'ada', role: 'operator', password: expect.stringMatching(/^[\w-]{20,}$/) });
    expect((await who(await api.signIn('ada', made.password ?? ''))).json()).toEqual({ name: 'ada', role: 'operator' });
    const list = (await people('GET')).body;
    expect(JSON.parse(list)).toMatchObject({
      people: [
        { name: 'ada', role: 'operator' },
        { name: 'admin', role: 'admin' },
      ],
    });
    expect(list).not.toContain(made.password);
    expect(api.logText()).not.toContain(made.password);
  });

  test.each([
    [{ name: 'Ada Lovelace', role: 'viewer' }],
    [{ name: '', role: 'viewer' }],
    [{ name: 'a'.repeat(65), role: 'viewer' }],
    [{ name: 'ada', role: 'owner' }],
    [{ name: 'ada', role: 'viewer', password: 'short' }],
    [{ role: 'viewer' }],
  ])('with wrong fields are refused: %o', async (payload) => {
    expect((await people('POST', '', payload)).statusCode).toBe(400);
  });

  test('are listed with their last sign-in, and one who comes after another of the same name without the other’s', async () => {
    const signedInAt = async (): Promise<Record<string, string | null>> => {
      const { people: listed } = (await people('GET')).json<PersonList>();
      return Object.fromEntries(listed.map(({ name, lastSignedInAt }) => [name, lastSignedInAt]));
    };
    const now = (): string => new Date(api.clock.nowMs()).toISOString();
    await people('POST', '', { name: 'ada', role: 'viewer', password: adminPassword });
    expect((await signedInAt())['ada']).toBeNull();
    await api.signIn('ada', adminPassword);
    api.clock.jump(60_000);
    await expect(api.signIn('ada', 'not the password')).rejects.toThrow();
    await api.signIn('ada', adminPassword);
    const last = now();
    api.clock.jump(60_000);
    await api.signIn('admin', adminPassword);
    expect(await signedInAt()).toEqual({ ada: last, admin: now() });
    await people('DELETE', '/ada');
    await people('POST', '', { name: 'ada', role: 'viewer', password: adminPassword });
    expect((await signedInAt())['ada']).toBeNull();
  });

  test('have a name of their own', async () => {
    expect((await people('POST', '', { name: 'admin', role: 'viewer' })).json()).toMatchObject({ code: 'already-there' });
    expect((await people('POST', '', { name: 'watchdog', role: 'viewer' })).json()).toMatchObject({ code: 'already-there' });
  });

  test('lose their sessions with another role or password, and sign in anew', async () => {
    const cookie = await api.addPerson('ada', 'operator');
    expect((await people('PATCH', '/ada', { role: 'viewer' })).json()).toEqual({ name: 'ada', role: 'viewer' });
    expect((await who(cookie)).statusCode).toBe(401);
    await people('PATCH', '/ada', { password: 'another password' });
    await expect(api.signIn('ada', adminPassword)).rejects.toThrow();
    expect((await who(await api.signIn('ada', 'another password'))).json()).toEqual({ name: 'ada', role: 'viewer' });
  });

  test('lose their access tokens with a password that somebody else gives them, and keep them with one of their own', async () => {
    const cookie = await api.addPerson('ada', 'operator');
    const make = async (as?: string) => {
      const payload = { name: 'ci', scopes: ['read'], expiresInS: 3600 };
      const made = await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload, ...(as === undefined ? {} : { as }) });
      return made.json<{ token: string }>().token;
    };
    const status = async (token: string) =>
      (await api.app.inject({ method: 'GET', url: '/api/v1/devices', headers: { authorization: `Bearer ${token}` } })).statusCode;
    const lastReset = async () => {
      const url = '/api/v1/audit-log?action=password-changed&limit=1';
      return (await api.request({ method: 'GET', url, as: await api.signIn('ben', adminPassword) })).json<AuditPage>().entries[0];
    };
    await api.addPerson('ben', 'admin');
    const [adas, admins] = [await make(cookie), await make()];

    const own = { current: adminPassword, next: 'a password of her own' };
    const changed = await api.request({ method: 'POST', url: '/api/v1/session/password', payload: own, as: cookie });
    expect(changed.statusCode).toBe(200);
    expect(await status(adas)).toBe(200);
    expect(await lastReset()).toMatchObject({ actor: 'ada', changes: [] });
    expect((await people('PATCH', '/ada', { role: 'viewer' })).json()).toEqual({ name: 'ada', role: 'viewer' });
    expect(await status(adas)).toBe(200);

    const reset = await people('PATCH', '/ada', { password: 'another password' });
    expect(reset.json()).toEqual({ name: 'ada', role: 'viewer', endedAccessTokens: 1 });
    expect([await status(adas), await status(admins)]).toEqual([401, 200]);
    expect(await lastReset()).toMatchObject({
      actor: 'admin',
      subject: 'ada',
      changes: [{ field: 'access token', before: 'ci', after: null }],
    });

    expect(await api.app.people.resetFirstPerson(adminPassword)).toMatchObject({ password: adminPassword, endedAccessTokens: 1 });
    expect(await status(admins)).toBe(401);
    expect(await lastReset()).toMatchObject({ actor: 'the command line', subject: 'admin', changes: [{ before: 'ci' }] });
  });

  test('who are removed are out at once, with their access tokens', async () => {
    const cookie = await api.addPerson('ada', 'operator');
    const payload = { name: 'ci', scopes: ['read'], expiresInS: 3600 };
    const { token } = (await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload, as: cookie })).json<{ token: string }>();
    const withToken = () => api.app.inject({ method: 'GET', url: '/api/v1/devices', headers: { authorization: `Bearer ${token}` } });
    expect((await withToken()).statusCode).toBe(200);
    expect((await people('DELETE', '/ada')).statusCode).toBe(204);
    expect((await who(cookie)).statusCode).toBe(401);
    expect((await withToken()).statusCode).toBe(401);
    expect((await people('DELETE', '/ada')).statusCode).toBe(404);
  });

  test('always include an admin', async () => {
    expect((await people('DELETE', '/admin')).json()).toMatchObject({ code: 'last-admin' });
    expect((await people('PATCH', '/admin', { role: 'viewer' })).json()).toMatchObject({ code: 'last-admin' });
    await people('POST', '', { name: 'eve', role: 'admin', password: 'a second password' });
    expect((await people('PATCH', '/admin', { role: 'viewer' })).statusCode).toBe(200);
  });

  test.each(['viewer', 'operator'] as const)('are not the business of a %s', async (role) => {
    const cookie = await api.addPerson('ada', role);
    expect((await people('GET', '', undefined, cookie)).statusCode).toBe(403);
    expect((await people('PATCH', '/ada', { role: 'admin' }, cookie)).statusCode).toBe(403);
    expect((await people('POST', '', { name: 'bob', role: 'admin' }, cookie)).statusCode).toBe(403);
  });
});

describe('one’s own password', () => {
  const change = (cookie: string, current: string, next: string) =>
    api.request({ method: 'POST', url: '/api/v1/session/password', payload: { current, next }, as: cookie });

  test('is changed with the present one; every other session ends and this one goes on', async () => {
    const here = await api.addPerson('ada', 'viewer');
    const elsewhere = await api.signIn('ada', adminPassword);
    const response = await change(here, adminPassword, 'a better password');
    expect(response.statusCode).toBe(200);
    expect((await who(elsewhere)).statusCode).toBe(401);
    expect((await who(here)).statusCode).toBe(401);
    expect((await who(String(response.headers['set-cookie']).split(';', 1)[0] ?? '')).json()).toEqual({ name: 'ada', role: 'viewer' });
  });

  test('is not guessed with a stolen session', async () => {
    const cookie = await api.addPerson('ada', 'viewer');
    for (let attempt = 0; attempt < 10; attempt += 1) expect((await change(cookie, 'wrong', 'a better password')).statusCode).toBe(401);
    expect((await change(cookie, adminPassword, 'a better password')).statusCode).toBe(429);
  });

  test('is changed though a guest at the same address tries to, and in a known browser though somebody has stolen a session', async () => {
    await api.addPerson('ada', 'viewer');
    const signedIn = await api.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name: 'ada', password: adminPassword } });
    const [session = '', browser = ''] = [signedIn.headers['set-cookie']].flat().map((cookie) => cookie?.split(';', 1)[0] ?? '');
    for (let attempt = 0; attempt < 21; attempt += 1) expect((await change('', 'wrong', 'a better password')).statusCode).toBe(401);
    for (let attempt = 0; attempt < 21; attempt += 1) await change(session, 'wrong', 'a better password');
    expect((await change(session, adminPassword, 'a better password')).statusCode).toBe(429);
    expect((await change(`${session}; ${browser}`, adminPassword, 'a better password')).statusCode).toBe(200);
  });

  test('is asked for no more than twenty times a minute, right or wrong', async () => {
    const cookie = await api.addPerson('ada', 'viewer');
    const messages = [];
    for (let attempt = 0; attempt < 21; attempt += 1) {
      messages.push((await change(cookie, 'wrong', 'a better password')).json<{ message: string }>().message);
    }
    expect(messages[19]).toMatch(/^Too many wrong passwords/);
    expect(messages[20]).toMatch(/^Too many requests/);
  });
});
