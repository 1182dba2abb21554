import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FleetError } from '#fleet-server/errors.ts';
import { WriteAllowance, writePolicy } from '#fleet-server/people/write-allowance.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { manualClock } from '../manual-clock.ts';

const perMinute = 60;
const atOnce = perMinute * writePolicy.burstMinutes;

function refusalOf(allowance: WriteAllowance, name: string): FleetError | null {
  try {
    allowance.take(name);
    return null;
  } catch (error) {
    if (error instanceof FleetError) return error;
    throw error;
  }
}

test('a burst is let through, then so many a minute; and nobody takes another’s', async () => {
  const clock = manualClock();
  const allowance = new WriteAllowance({ clock, perMinute });
  for (let count = 0; count < atOnce; count += 1) expect(refusalOf(allowance, 'ada')).toBeNull();
  expect(refusalOf(allowance, 'ada')).toMatchObject({ code: 'too-many', status: 429, retryAfterS: 1 });
  expect(refusalOf(allowance, 'olga')).toBeNull();
  await clock.advance(10_000);
  const later = Array.from({ length: 12 }, () => refusalOf(allowance, 'ada')?.retryAfterS ?? 0);
  expect(later).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  await clock.advance(writePolicy.burstMinutes * 60_000);
  for (let count = 0; count < atOnce; count += 1) expect(refusalOf(allowance, 'ada')).toBeNull();
});

describe('every route that changes something', () => {
  let api: ApiUnderTest;
  beforeEach(async () => {
    api = await startApi({ writesPerMinute: 2 });
  });
  afterEach(() => api.close());

  test('asks for it in one place: refused in words, with the time to wait, whichever token is used', async () => {
    const ada = await api.addPerson('ada', 'admin');
    const payload = { name: 'job', scopes: ['settings', 'devices', 'commands'], expiresInS: 3600 };
    const made = await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload, as: ada });
    const headers = { authorization: `Bearer ${made.json<{ token: string }>().token}` };
    const remove = () => api.app.inject({ method: 'DELETE', url: '/api/v1/devices/d-nothing12345', headers });
    const patch = (bitrate: number) =>
      api.app.inject({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_BITRATE: bitrate }, headers });
    // What asks for nothing that is there counts as well.
    for (let count = 1; count < 2 * writePolicy.burstMinutes; count += 1) expect((await remove()).statusCode).toBe(404);
    const refused = await patch(5000);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('30');
    expect(refused.json()).toEqual({
      code: 'too-many',
      message: 'Expected at most 2 changes a minute by ada, and 10 at once. Try again in 30 s.',
    });
    const change = { method: 'DELETE', url: '/api/v1/devices/d-nothing12345', as: ada } as const;
    expect((await api.request(change)).json()).toMatchObject({ code: 'too-many' });
    // To look is not to change, with a body or without.
    const asked = { method: 'POST', url: '/api/v1/fleet/settings/preview', payload: { AV_VIDEO_BITRATE: 700 }, as: ada } as const;
    expect((await api.request(asked)).statusCode).toBe(200);
    expect((await api.request({ method: 'GET', url: '/api/v1/audit-log', as: ada })).statusCode).toBe(200);
    // Others go on.
    expect((await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_BITRATE: 800 } })).statusCode).toBe(
      200,
    );
    api.clock.jump(30_000);
    expect((await patch(6000)).statusCode).toBe(200);
  });
});
