import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeDevice } from '#fleet-server/devices/remove-device.ts';
import { engineOf } from '#fleet-server/store/engine.ts';
import type { HealthHistory } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
beforeEach(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
});
afterEach(() => api.close());

const query = (text: string) => api.request({ method: 'GET', url: `/api/v1/devices/${id}/health?${text}` });

test('samples are kept and read back as means over steps', async () => {
  const voice = api.voice(id);
  voice.connect();
  for (const framesPerSecond of [30, 20, 10, 12]) {
    await voice.say('health', bodies.health(framesPerSecond));
    await api.clock.advance(30_000);
  }
  const answer = (await query('from=2026-11-21T11:59:00Z&to=2026-11-21T13:00:00Z&stepS=60')).json<HealthHistory>();
  expect(answer).toMatchObject({
    stepS: 60,
    samples: [
      { at: '2026-11-21T12:00:00.000Z', framesPerSecond: 25, temperatureC: null, loadAverage1m: 0.5 },
      { at: '2026-11-21T12:01:00.000Z', framesPerSecond: 11 },
    ],
  });
  expect((await query('')).json<HealthHistory>().samples).toHaveLength(4);
});

test('the level of the loudest channel and the drift are kept', async () => {
  const quiet = { peakDbfs: -100, rmsDbfs: -100, clippedSamples: 0 };
  const loud = { peakDbfs: -20, rmsDbfs: -23, clippedSamples: 0 };
  const figures = { framesPerSecond: 25, videoBitrateKbps: 1, audioBitrateKbps: 1, framesTotal: 1, width: 1, height: 1 };
  const sound = { channels: [quiet, loud] };
  await api.voice(id).say('health', { ...bodies.health(), figures: { ...figures, sound, audioVideoDriftMs: 12 } });
  await api.clock.advance(1000);
  expect((await query('')).json<HealthHistory>().samples).toMatchObject([{ audioRmsDbfs: -23, audioVideoDriftMs: 12 }]);
});

test('health of a time without a connection is put where it belongs', async () => {
  const sample = { videoBitrateKbps: 2500, temperatureC: 50, loadAverage1m: 1, memoryAvailableBytes: 1 };
  const samples = [
    { ...sample, ageMs: 24 * 3_600_000, framesPerSecond: 1 },
    { ...sample, ageMs: 120_000, framesPerSecond: 25 },
    { ...sample, ageMs: 60_000, framesPerSecond: null },
  ];
  await api.voice(id).say('health-backlog', { samples });
  await api.clock.advance(1000);
  const answer = (await query('from=2026-11-20T00:00:00Z&to=2026-11-21T13:00:00Z&stepS=60')).json<HealthHistory>();
  expect(answer.samples.map(({ at, framesPerSecond }) => [at, framesPerSecond])).toEqual([
    ['2026-11-21T11:58:00.000Z', 25],
    ['2026-11-21T11:59:00.000Z', null],
  ]);
});

test('samples older than a day go, once they are rolled up; their minutes and hours stay', async () => {
  const voice = api.voice(id);
  await voice.say('health', bodies.health(21));
  await api.app.health.flush();
  api.clock.jump(26 * 3_600_000);
  await voice.say('health', bodies.health());
  await api.app.health.flush();
  await api.app.health.rollUp();
  const { database } = api.store();
  expect(await database.selectFrom('healthSamples').select('atMs').execute()).toEqual([{ atMs: api.clock.nowMs() }]);
  // Asked without signing in, which has expired meanwhile.
  const firstHour = { deviceId: id, fromMs: Date.parse('2026-11-21T12:00:00Z'), toMs: Date.parse('2026-11-21T13:00:00Z'), stepS: 10 };
  const answer = await api.app.health.query(firstHour);
  expect(answer).toMatchObject({ stepS: 60, samples: [{ at: '2026-11-21T12:00:00.000Z', framesPerSecond: 21 }] });
  api.clock.jump(31 * 24 * 3_600_000);
  await api.app.health.rollUp();
  expect(await database.selectFrom('healthMinutes').select('atMs').where('framesPerSecondSum', '=', 21).execute()).toEqual([]);
  const later = await api.app.health.query(firstHour);
  expect(later).toMatchObject({ stepS: 3600, samples: [{ at: '2026-11-21T12:00:00.000Z', framesPerSecond: 21 }] });
  api.clock.jump(731 * 24 * 3_600_000);
  await api.app.health.rollUp();
  expect(await database.selectFrom('healthHours').select('atMs').execute()).toEqual([]);
});

test('those of a device wait for each other before they are written, and are shown meanwhile', async () => {
  const inStore = async () => (await api.store().database.selectFrom('healthSamples').select('framesPerSecond').execute()).length;
  const voice = api.voice(id);
  for (const framesPerSecond of [21, 22]) {
    await voice.say('health', bodies.health(framesPerSecond));
    await api.clock.advance(9000);
    expect(await inStore()).toBe(0);
  }
  await api.clock.advance(2000);
  expect(await inStore()).toBe(2);
  await voice.say('health', bodies.health(23));
  const { samples } = (await query('to=2026-11-21T12:01:00Z&stepS=5')).json<HealthHistory>();
  expect(samples.map(({ framesPerSecond }) => framesPerSecond)).toEqual([21, 22, 23]);
});

test('extremes come with the means', async () => {
  const voice = api.voice(id);
  for (const framesPerSecond of [30, 20]) {
    await voice.say('health', bodies.health(framesPerSecond));
    await api.clock.advance(10_000);
  }
  const { samples } = (await query('stepS=60')).json<HealthHistory>();
  expect(samples).toMatchObject([{ framesPerSecond: 25, min: { framesPerSecond: 20 }, max: { framesPerSecond: 30, loadAverage1m: 0.5 } }]);
});

test('what waits when the server stops is stored', async () => {
  const { store, app, clock } = api;
  await api.voice(id).say('health', bodies.health());
  await app.health.stop();
  expect(await store().database.selectFrom('healthSamples').select('atMs').execute()).toEqual([{ atMs: clock.nowMs() }]);
});

const stored = async () =>
  (await api.store().database.selectFrom('healthSamples').select(['deviceId', 'framesPerSecond']).orderBy('framesPerSecond').execute()).map(
    ({ deviceId, framesPerSecond }) => `${deviceId === id ? 'this' : 'other'} ${framesPerSecond}`,
  );

test('a device that is removed while samples are being stored takes those of no other along', async () => {
  const other = (await api.join({ name: 'other' })).deviceId;
  await api.voice(id).say('health', bodies.health(21));
  await api.voice(other).say('health', bodies.health(22));
  const removing = removeDevice(api.app, { deviceId: other, actor: 'admin', action: 'device-removed' });
  await api.app.health.flush();
  await removing;
  expect(await stored()).toEqual(['this 21']);
});

/** Answers how it takes them again. */
async function fillStore(): Promise<() => Promise<void>> {
  const { database } = api.store();
  const run = async (statement: string) => {
    await sql`${sql.raw(statement)}`.execute(database);
  };
  if (engineOf(database) === 'sqlite') {
    await run('pragma query_only = on');
    return () => run('pragma query_only = off');
  }
  await run(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'full' using errcode = '53100'; end $$`);
  await run('create trigger refuse before insert on "healthSamples" for each row execute function refuse()');
  return () => run('drop function refuse cascade');
}

test('what a full store does not take waits until it does, with what comes meanwhile', async () => {
  const voice = api.voice(id);
  await voice.say('health', bodies.health(21));
  const empty = await fillStore();
  await expect(api.app.health.flush()).rejects.toMatchObject({ code: expect.stringMatching(/^store-/) });
  await api.clock.advance(1000);
  await voice.say('health', bodies.health(22));
  expect(await stored()).toEqual([]);
  await empty();
  await api.clock.advance(25_000);
  expect(await stored()).toEqual(['this 21', 'this 22']);
});

test.each([
  'from=2026-11-21T13:00:00Z&to=2026-11-21T12:00:00Z',
  'from=2026-99-99T99:99:99Z',
  'from=yesterday',
  'stepS=0',
  'stepS=1&from=2020-01-01T00:00:00Z',
])('a range that is none is refused: %s', async (text) => {
  const response = await query(text);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'wrong-fields' });
});
