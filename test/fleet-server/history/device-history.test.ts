import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contiguousUpTo } from '#fleet-server/history/contiguous.ts';
import type { EventAck } from '#protocol/messages.ts';
import type { History } from '#protocol/model/device.ts';
import { type ApiUnderTest, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
  voice = api.voice(id);
  voice.connect();
});
afterEach(() => api.close());

const event = (number: number, at = '2026-11-21T11:59:00.000Z') => ({ number, at, kind: 'pipeline-failed', detail: `number ${number}` });
const acknowledged = () => api.published.filter(({ name }) => name === 'event-ack').map(({ body }) => (body as EventAck).upToNumber);
const entries = async () =>
  (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history?limit=500` }))
    .json<History>()
    .entries.filter(({ kind }) => kind === 'pipeline-failed');

test.each([
  ['nothing above', 3, [], 3],
  ['the next', 3, [4], 4],
  ['a run', 3, [4, 5, 6], 6],
  ['a gap', 3, [4, 6], 4],
  ['a gap at once', 3, [5], 3],
])('the highest number without a gap: %s', (_name, base, above, expected) => {
  expect(contiguousUpTo(base, above)).toBe(expected);
});

test('an event is stored once and acknowledged each time it comes', async () => {
  for (const number of [1, 2, 2, 1, 3]) await voice.say('event', event(number));
  expect((await entries()).map(({ detail }) => detail)).toEqual(['number 3', 'number 2', 'number 1']);
  expect(acknowledged()).toEqual([1, 2, 2, 2, 3]);
});

test('one that overtakes is stored, and acknowledged when those before it are there', async () => {
  for (const number of [1, 3, 2]) await voice.say('event', event(number));
  expect(acknowledged()).toEqual([1, 1, 3]);
});

test('the first of a session tells what the device still has: numbers below it will not come any more', async () => {
  await voice.say('event', event(57));
  await voice.say('event', event(58));
  expect(acknowledged()).toEqual([57, 58]);
});

test('a time that is none does not keep an event out', async () => {
  await voice.say('event', event(1, '2026-99-99T99:99:99Z'));
  expect(acknowledged()).toEqual([1]);
});

test('a device keeps at most some two thousand entries, and those that went do not come back', async () => {
  for (let number = 1; number <= 2100; number += 1) {
    await api.app.history.onEvent(id, { bootId: 'b', counter: 1 }, event(number));
  }
  const count = await api.store().database.selectFrom('history').select('id').execute();
  expect(count.length).toBeLessThanOrEqual(2050);
  await voice.say('event', event(1));
  expect((await entries()).some(({ detail }) => detail === 'number 1')).toBe(false);
});

test('unreadable messages make one entry a minute, with their number', async () => {
  const problem = { code: 'not-json', message: 'expected an envelope in JSON, got text that is not JSON (3 bytes)' };
  for (let count = 0; count < 5; count += 1) await api.app.history.appendProblem(id, problem);
  api.clock.jump(60_000);
  await api.app.history.appendProblem(id, problem);
  const all = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>().entries;
  const problems = all.filter(({ kind }) => kind === 'protocol-problem').map(({ detail }) => detail);
  expect(problems).toEqual([`not-json: ${problem.message} (and 4 more before it)`, `not-json: ${problem.message}`]);
});

test('the first event of a session that could not be stored is taken and acknowledged when it comes again', async () => {
  const { database } = api.store();
  await sql`alter table "history" rename to "historyAway"`.execute(database);
  await expect(voice.say('event', event(900))).rejects.toThrow();
  await sql`alter table "historyAway" rename to "history"`.execute(database);
  for (const number of [901, 900, 901]) await voice.say('event', event(number));
  expect((await entries()).map(({ detail }) => detail)).toEqual(['number 900', 'number 901']);
  expect(acknowledged().at(-1)).toBe(901);
});
