import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiUnderTest, adminPassword, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

describe('signing in', () => {
  test('gives a cookie that scripts cannot read and other sites cannot use', async () => {
    const response = await api.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name: 'admin', password: adminPassword } });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ name: 'admin', role: 'admin' });
    expect(response.headers['set-cookie']).toEqual([
      expect.stringMatching(/^msl-session=[\w-]{43}; .*HttpOnly; SameSite=Strict/),
      expect.stringMatching(/^msl-browser=[\w-]{22}\.\d+\.[\w-]{43}; .*HttpOnly; SameSite=Strict/),
    ]);
  });

  test('is refused with the same words for a wrong name and a wrong password', async () => {
    const wrongName = await api.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { name: 'nobody', password: adminPassword },
    });
    const wrongPassword = await api.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name: 'admin', password: 'wrong' } });
    expect(wrongName.statusCode).toBe(401);
    expect(wrongName.json()).toEqual({ code: 'sign-in-refused', message: 'Name or password is wrong.' });
    expect(wrongPassword.json()).toEqual(wrongName.json());
  });

  test('is refused after ten wrong passwords for a name, also with the right one, until five minutes have passed', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const response = await api.app.inject({
        method: 'POST',
        url: '/api/v1/session',
        remoteAddress: `10.0.0.${attempt}`,
        payload: { name: 'admin', password: 'wrong' },
      });
      expect(response.statusCode).toBe(401);
    }
    const attempt = { method: 'POST', url: '/api/v1/session', payload: { name: 'admin', password: adminPassword } } as const;
    const refused = await api.app.inject(attempt);
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toEqual({ code: 'too-many', message: 'Too many refused sign-ins under this name. Try again in 300 s.' });
    expect(refused.headers['retry-after']).toBe('300');
    // What passed counts, not what the clock says.
    api.clock.set(3_600_000);
    expect((await api.app.inject(attempt)).statusCode).toBe(429);
    api.clock.set(-7_200_000);
    api.clock.jump(200_000);
    expect((await api.app.inject(attempt)).headers['retry-after']).toBe('100');
    api.clock.jump(100_001);
    expect((await api.app.inject(attempt)).statusCode).toBe(200);
  });

  describe('in a browser in which one has signed in before', () => {
    let attempts = 0;
    const attempt = (name: string, password: string, cookie: string | null) => {
      attempts += 1;
      return api.app.inject({
        method: 'POST',
        url: '/api/v1/session',
        // The bound for one address is another one.
        remoteAddress: `10.0.0.${attempts}`,
        payload: { name, password },
        ...(cookie === null ? {} : { headers: { cookie } }),
      });
    };
    const lockOut = async (name: string, cookie: string | null) => {
      for (let time = 0; time < 10; time += 1) expect((await attempt(name, 'wrong', cookie)).statusCode).toBe(401);
      expect((await attempt(name, adminPassword, cookie)).statusCode).toBe(429);
    };
    const browserCookieOf = ({ headers }: Awaited<ReturnType<typeof attempt>>): string =>
      [headers['set-cookie']]
        .flat()
        .find((cookie) => cookie?.startsWith('msl-browser='))
        ?.split(';', 1)[0] ?? '';
    const browserOf = async (name: string) => browserCookieOf(await attempt(name, adminPassword, null));

    test('wrong passwords from elsewhere keep nobody out, and wrong ones there only there', async () => {
      const known = await browserOf('admin');
      await lockOut('admin', null);
      const again = await attempt('admin', adminPassword, known);
      expect(again.statusCode).toBe(200);
      // It stays the browser that it was.
      expect(again.headers['set-cookie']).toContainEqual(expect.stringContaining(`${known.split('.')[0]}.`));
      api.clock.jump(300_001);
      await lockOut('admin', known);
      expect((await attempt('admin', adminPassword, browserCookieOf(again))).statusCode).toBe(429);
      expect((await attempt('admin', adminPassword, null)).statusCode).toBe(200);
    });

    describe('whoever uses up the sign-ins of the address there', () => {
      const atOneAddress = async (payload: object, cookie?: string) => {
        const headers = cookie === undefined ? {} : { cookie };
        return (await api.app.inject({ method: 'POST', url: '/api/v1/session', remoteAddress: '192.0.2.1', payload, headers })).statusCode;
      };
      // Without a password there is nothing to compare, which takes its time.
      const useUp = async (cookies: readonly (string | undefined)[]) => {
        for (let time = 0; time < 20; time += 1) expect(await atOneAddress({ name: 'admin' }, cookies[time % cookies.length])).toBe(400);
      };
      const right = { name: 'admin', password: adminPassword };

      test('keeps nobody out, under their own name', async () => {
        const ofAdmin = await browserOf('admin');
        await useUp([undefined]);
        expect(await atOneAddress(right)).toBe(429);
        expect(await atOneAddress({ name: 'vera' }, ofAdmin)).toBe(429);
        expect(await atOneAddress(right, ofAdmin)).toBe(200);
      });

      test('is still bound in all their browsers together, wherever they are, and that keeps others out nowhere', async () => {
        await api.addPerson('vera', 'viewer');
        const ofVera = await browserOf('vera');
        const browsers = [await browserOf('admin'), await browserOf('admin'), await browserOf('admin')];
        await useUp(browsers);
        for (const browser of browsers) {
          expect(await atOneAddress(right, browser)).toBe(429);
          expect((await attempt('admin', adminPassword, browser)).statusCode).toBe(429);
        }
        expect(await atOneAddress(right)).toBe(200);
        expect(await atOneAddress({ name: 'vera', password: adminPassword }, ofVera)).toBe(200);
      });
    });

    test('it is known for four hundred days after the last sign-in there', async () => {
      const dayMs = 86_400_000;
      const first = await browserOf('admin');
      api.clock.jump(399 * dayMs);
      const renewed = browserCookieOf(await attempt('admin', adminPassword, first));
      api.clock.jump(dayMs);
      await lockOut('admin', null);
      expect((await attempt('admin', adminPassword, first)).statusCode).toBe(429);
      const [id, , proof] = first.split('.');
      expect((await attempt('admin', adminPassword, `${id}.9999999999.${proof}`)).statusCode).toBe(429);
      expect((await attempt('admin', adminPassword, renewed)).statusCode).toBe(200);
    });

    test('it counts for who signed in there alone, and cannot be made up', async () => {
      await api.addPerson('vera', 'viewer');
      const ofVera = await browserOf('vera');
      await lockOut('admin', null);
      const [id, endsAt, proof] = ofVera.split('.');
      for (const cookie of [
        ofVera,
        `${id}.${endsAt}.${'A'.repeat(43)}`,
        `msl-browser=${'A'.repeat(22)}.${endsAt}.${proof}`,
        'msl-browser=',
        'msl-browser=x.y',
      ]) {
        expect((await attempt('admin', adminPassword, cookie)).statusCode, cookie).toBe(429);
      }
    });
  });

  test('is limited for one address, whatever names it tries', async () => {
    const attempt = (number: number) =>
      api.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name: `name-${number}`, password: 'x' } });
    for (let number = 0; number < 20; number += 1) expect((await attempt(number)).statusCode).toBe(401);
    const refused = await attempt(20);
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('is limited for one network of IPv6, whichever of its addresses one takes', async () => {
    const attempt = (remoteAddress: string) =>
      api.app.inject({ method: 'POST', url: '/api/v1/session', payload: { name: 'admin' }, remoteAddress });
    for (let number = 0; number < 20; number += 1) expect((await attempt(`2001:db8::${number + 1}`)).statusCode).toBe(400);
    expect((await attempt('2001:db8::ffff')).statusCode).toBe(429);
    expect((await attempt('2001:db8:0:1::1')).statusCode).toBe(400);
  });

  test('ends with signing out, after twelve idle hours, and after fourteen days in any case', async () => {
    const who = (cookie: string) => api.request({ method: 'GET', url: '/api/v1/session', as: cookie });
    const first = await api.signIn('admin', adminPassword);
    expect((await who(first)).json()).toEqual({ name: 'admin', role: 'admin' });
    expect((await api.request({ method: 'DELETE', url: '/api/v1/session', as: first })).statusCode).toBe(204);
    expect((await who(first)).statusCode).toBe(401);

    const second = await api.signIn('admin', adminPassword);
    api.clock.jump(11 * 3_600_000);
    expect((await who(second)).statusCode).toBe(200);
    api.clock.jump(13 * 3_600_000);
    expect((await who(second)).statusCode).toBe(401);

    const third = await api.signIn('admin', adminPassword);
    for (let hours = 0; hours < 14 * 24; hours += 10) {
      expect((await who(third)).statusCode).toBe(200);
      api.clock.jump(10 * 3_600_000);
    }
    expect((await who(third)).statusCode).toBe(401);
  });

  test('keeps neither password nor token in the store, the log or an answer', async () => {
    // By the server's own hand: what tests begin with has a hash that costs nothing.
    await api.app.people.resetFirstPerson(adminPassword);
    const cookie = await api.signIn('admin', adminPassword);
    const token = cookie.split('=')[1] ?? '';
    const rows = JSON.stringify([
      await api.store().database.selectFrom('people').selectAll().execute(),
      await api.store().database.selectFrom('sessions').selectAll().execute(),
    ]);
    for (const text of [rows, api.logText()]) {
      expect(text).not.toContain(adminPassword);
      expect(text).not.toContain(token);
    }
    expect(rows).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  });
});

describe('roles', () => {
  test.each([
    ['viewer', 'GET', '/api/v1/devices', 200],
    ['viewer', 'PATCH', '/api/v1/fleet/settings', 403],
    ['viewer', 'POST', '/api/v1/join-tokens', 403],
    ['operator', 'PATCH', '/api/v1/fleet/settings', 200],
    ['operator', 'POST', '/api/v1/join-tokens', 403],
    ['operator', 'DELETE', '/api/v1/devices/d-nothing', 403],
    ['admin', 'POST', '/api/v1/join-tokens', 201],
  ] as const)('a %s who asks for %s %s is answered %i', async (role, method, url, status) => {
    const cookie = await api.addPerson(`a-${role}`, role);
    const payload = method === 'PATCH' ? { AV_VIDEO_WIDTH: 640 } : method === 'POST' ? {} : undefined;
    const response = await api.request({ method, url, as: cookie, ...(payload === undefined ? {} : { payload }) });
    expect(response.statusCode).toBe(status);
  });
});

describe('requests from elsewhere', () => {
  const attempt = (headers: Record<string, string>) =>
    api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_WIDTH: 640 }, headers });

  test.each([
    ['another site’s Origin', { origin: 'https://evil.example', host: 'fleet.local' }, 403],
    ['an Origin of null', { origin: 'null', host: 'fleet.local' }, 403],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, 403],
    ['the own Origin', { origin: 'http://fleet.local', host: 'fleet.local' }, 200],
    ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin', origin: 'http://proxy.example' }, 200],
    ['a program that says nothing', {}, 200],
  ])('%s', async (_name, headers, status) => {
    expect((await attempt(headers as Record<string, string>)).statusCode).toBe(status);
  });
});
