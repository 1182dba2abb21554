import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { pruneHistory } from '#fleet-server/history/history-store.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { EventAck } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';
import type { History, HistoryKinds } from '#protocol/model/history.ts';
import { manualClock } from '../../device/manual-clock.ts';
import { quietLog } from '../../device/quiet-log.ts';
import { MemoryState } from '../../device/uplink/memory-state.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, type DeviceVoice, startApi } from '../api-under-test.ts';
import { settle } from '../manual-clock.ts';

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

test('an event is stored once and acknowledged each time it comes', async () => {
  for (const number of [1, 2, 2, 1, 3]) await voice.say('event', event(number));
  expect((await entries()).map(({ detail }) => detail)).toEqual(['number 3', 'number 2', 'number 1']);
  expect(acknowledged()).toEqual([1, 2, 2, 2, 3]);
});

test('one that overtakes is stored, acknowledged when those before it are there, and stands after them', async () => {
  for (const number of [1, 4, 2, 3]) await voice.say('event', event(number));
  expect(acknowledged()).toEqual([1, 1, 2, 4]);
  expect((await entries()).map(({ detail }) => detail)).toEqual(['number 4', 'number 3', 'number 2', 'number 1']);
});

test('the first of a session tells what the device still has: numbers below it will not come any more', async () => {
  await voice.say('event', event(57));
  await voice.say('event', event(58));
  expect(acknowledged()).toEqual([57, 58]);
});

test('a device that has lost its count, and does not know the time, is heard all the same', async () => {
  for (const number of [1_800_000_000, 1_800_000_001]) await voice.say('event', event(number));
  const clock = manualClock(30_000);
  const journal = new EventJournal({ state: new MemoryState(), clock, log: quietLog() });
  await journal.start();
  const outbox = new Outbox(journal);
  for (const detail of ['after the loss', 'and another']) journal.add('pipeline-failed', detail);
  await clock.advance(1000);
  expect(outbox.next()?.body).toMatchObject({ number: 31 });
  for (let said = 0; said < 20; said += 1) {
    const message = outbox.next();
    if (message?.name !== 'event') break;
    await voice.say('event', message.body);
    outbox.sent(message);
    journal.acknowledge(acknowledged().at(-1) ?? 0);
    await clock.advance(1000);
  }
  expect((await entries()).map(({ detail }) => detail)).toEqual([
    'and another',
    'after the loss',
    'number 1800000001',
    'number 1800000000',
  ]);
  expect(journal.nextAfter(0)).toBeUndefined();
  expect(acknowledged().at(-1)).toBe(1_800_000_003);
});

test('a time that is none does not keep an event out', async () => {
  await voice.say('event', event(1, '2026-99-99T99:99:99Z'));
  expect(acknowledged()).toEqual([1]);
});

test('a device keeps at most some thousand of its own entries, beside all that others did, and those that went do not come back', async () => {
  const { database } = api.store();
  await api.app.history.append({ deviceId: id, origin: 'watchdog', kind: 'watchdog-restart-pipeline', detail: 'It failed.' });
  await api.app.history.append({ deviceId: id, origin: 'person', kind: 'command-asked', detail: 'admin asked for identify.' });
  const ofOthers = () => database.selectFrom('history').select('kind').where('origin', '!=', 'device').orderBy('id').execute();
  const before = await ofOthers();
  // What it told long ago is there already: 1000 messages one after the other would take a quarter of a minute on a busy machine.
  const told = { deviceId: id, origin: 'device', kind: 'pipeline-failed', arrivedAtMs: null };
  const joinedAtMs = api.clock.nowMs();
  for (let start = 1; start <= 1000; start += 500) {
    const numbers = Array.from({ length: 500 }, (_, index) => start + index);
    const rows = numbers.map((number) => ({ ...told, atMs: joinedAtMs + number, detail: `number ${number}`, deviceNumber: number }));
    await database.insertInto('history').values(rows).execute();
  }
  await database.updateTable('devices').set({ eventsUpTo: 1000 }).where('id', '=', id).execute();
  api.clock.jump(60_000);
  for (let number = 1001; number <= 1100; number += 1) {
    const frame = { session: { bootId: 'b', counter: 1 }, sentAt: '2026-11-21T12:01:00Z' };
    await api.app.history.onEvent(id, frame, event(number, '2026-11-21T12:01:00.000Z'));
  }
  const kept = await database.selectFrom('history').select('id').where('origin', '=', 'device').execute();
  expect(kept.length).toBeLessThanOrEqual(1050);
  expect(kept.length).toBeGreaterThanOrEqual(1000);
  expect(await ofOthers()).toEqual(before);
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

test.each([-3_600_000, 3_600_000])('and one a minute all the same when the clock is set by %i ms', async (setByMs) => {
  const problem = { code: 'not-json', message: 'expected an envelope in JSON, got text that is not JSON (3 bytes)' };
  const told = async () => {
    const all = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>().entries;
    return all.filter(({ kind }) => kind === 'protocol-problem').length;
  };
  await api.app.history.appendProblem(id, problem);
  api.clock.set(setByMs);
  await api.app.history.appendProblem(id, problem);
  expect(await told()).toBe(1);
  api.clock.jump(60_000);
  await api.app.history.appendProblem(id, problem);
  expect(await told()).toBe(2);
});

test('the first event of a session that could not be stored is taken and acknowledged when it comes again', async () => {
  const { database } = api.store();
  await sql`alter table "history" rename to "historyAway"`.execute(database);
  await expect(voice.say('event', event(900))).rejects.toThrow();
  await sql`alter table "historyAway" rename to "history"`.execute(database);
  for (const number of [901, 900, 901]) await voice.say('event', event(number));
  expect((await entries()).map(({ detail }) => detail)).toEqual(['number 901', 'number 900']);
  expect(acknowledged().at(-1)).toBe(901);
});

test('an entry has the time at which it happened, however long the store let it wait', async () => {
  const { database } = api.store();
  const happenedAtMs = api.clock.nowMs();
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const entry = { deviceId: id, origin: 'server', kind: 'looked-at', detail: '' } as const;
  const transaction = inTransaction(database, async (open) => {
    await sql`select 1`.execute(open);
    await held;
  });
  const appended = api.app.history.append(entry);
  api.clock.jump(5000);
  letGo();
  await Promise.all([transaction, appended]);
  const stored = await database.selectFrom('history').select('atMs').where('kind', '=', entry.kind).execute();
  expect(stored).toEqual([{ atMs: happenedAtMs }]);
});

test('of what was not stored nobody is told', async () => {
  await settle();
  const told: Change[] = [];
  api.app.changes.subscribe(({ change }) => told.push(change));
  const entry = { deviceId: id, origin: 'server', kind: 'looked-at', detail: '' } as const;
  const refused = inTransaction(api.store().database, async (transaction) => {
    await api.app.history.appendIn(transaction, entry);
    throw new Error('no');
  });
  await expect(refused).rejects.toThrow('no');
  expect(told).toEqual([]);
  await api.app.history.append(entry);
  expect(told).toEqual([{ subject: 'device-history', deviceId: id }]);
});

const page = async (query: string) => {
  const response = await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history${query}` });
  expect(response.statusCode).toBe(200);
  return response.json<History>();
};
const wholeHistory = async (query: string) => {
  const all: History['entries'] = [];
  for (let next: string | null = ''; next !== null; ) {
    const read: History = await page(`?${query}&${next === '' ? '' : `after=${next}`}`);
    all.push(...read.entries);
    ({ next } = read);
  }
  return all;
};

describe('an event that is told late', () => {
  test('stands where it happened, with the time at which it arrived', async () => {
    voice.disconnect();
    await api.clock.advance(2000);
    api.clock.jump(7_198_000);
    voice.connect();
    await voice.say('event', event(1, '2026-11-21T12:30:00.000Z'));
    await voice.say('event', event(2, '2026-11-21T13:59:58.000Z'));
    // Nobody waits for what the server writes of its own accord.
    const { entries: shown } = await until('that it came, went and came', 5000, async () => {
      const read = await page('');
      return read.entries.filter(({ kind }) => kind === 'device-online' || kind === 'device-offline').length === 3 && read;
    });
    expect(shown.map(({ kind, at, arrivedAt }) => [kind, at, arrivedAt]).slice(0, 4)).toEqual([
      ['device-online', '2026-11-21T14:00:00.000Z', '2026-11-21T14:00:00.000Z'],
      ['pipeline-failed', '2026-11-21T13:59:58.000Z', '2026-11-21T14:00:00.000Z'],
      ['pipeline-failed', '2026-11-21T12:30:00.000Z', '2026-11-21T14:00:00.000Z'],
      ['device-offline', expect.stringMatching(/^2026-11-21T12:00:/), expect.stringMatching(/^2026-11-21T12:00:/)],
    ]);
  });

  test('does not shift the pages of who reads on', async () => {
    for (let number = 1; number <= 4; number += 1) {
      api.clock.jump(60_000);
      await voice.say('event', event(number, new Date(api.clock.nowMs()).toISOString()));
    }
    const first = await page('?origin=device&limit=2');
    api.clock.jump(60_000);
    await voice.say('event', event(5, new Date(api.clock.nowMs() - 30_000).toISOString()));
    const second = await page(`?origin=device&limit=2&after=${first.next}`);
    expect([...first.entries, ...second.entries].map(({ detail }) => detail)).toEqual(['number 4', 'number 3', 'number 2', 'number 1']);
    expect(second.next).toBeNull();
  });
});

describe('the pages of a history', () => {
  beforeEach(async () => {
    for (let number = 1; number <= 25; number += 1) {
      api.clock.jump(number % 3 === 0 ? 1000 : 0);
      await voice.say('event', event(number, new Date(api.clock.nowMs()).toISOString()));
      await api.app.history.append({
        deviceId: id,
        origin: 'watchdog',
        kind: `watchdog-${number % 2 === 0 ? 'waits' : 'told'}`,
        detail: '',
      });
    }
  });

  test.each([1, 7, 50, 500])('of %i hold each entry once, in one order', async (limit) => {
    const all = await wholeHistory(`limit=${limit}`);
    expect(all).toEqual((await page('?limit=500')).entries);
    expect(all.length).toBeGreaterThan(50);
    expect(all.map(({ at }) => at)).toEqual(
      all
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
  });

  test('hold only what is asked for', async () => {
    const ofWatchdog = await wholeHistory('limit=4&origin=watchdog');
    expect(ofWatchdog).toHaveLength(25);
    expect(new Set(ofWatchdog.map(({ origin }) => origin))).toEqual(new Set(['watchdog']));
    expect(await wholeHistory('limit=5&origin=watchdog&kind=watchdog-waits')).toHaveLength(12);
    expect(await wholeHistory('limit=5&kind=pipeline-failed')).toHaveLength(25);
    expect(await wholeHistory('origin=person&kind=pipeline-failed')).toEqual([]);
  });

  test('are told which kinds there are', async () => {
    const { kinds } = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history/kinds` })).json<HistoryKinds>();
    expect(kinds.map(({ kind }) => kind)).toEqual(kinds.map(({ kind }) => kind).toSorted());
    expect(kinds).toEqual(
      expect.arrayContaining([
        { origin: 'device', kind: 'pipeline-failed', count: 25 },
        { origin: 'watchdog', kind: 'watchdog-told', count: 13 },
        { origin: 'watchdog', kind: 'watchdog-waits', count: 12 },
      ]),
    );
  });

  test('are refused for what nobody could have asked', async () => {
    for (const query of ['after=elsewhere', 'after=WzEsMl0', 'origin=nobody', 'kind=Two%20words', 'limit=501', 'person=ann']) {
      const response = await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history?${query}` });
      expect([query, response.json<{ code: string }>().code]).toEqual([query, 'wrong-fields']);
    }
  });
});

test('the oldest by when they happened go first, however many happened at one moment', async () => {
  const { database } = api.store();
  const row = { deviceId: id, origin: 'device', kind: 'pipeline-failed', atMs: 1000, arrivedAtMs: null };
  const rows = Array.from({ length: 30 }, (_, index) => ({ ...row, detail: `number ${index + 1}`, deviceNumber: index + 1 }));
  await database.insertInto('history').values(rows.toReversed()).execute();
  await pruneHistory(database, id, { origin: 'device', keep: 12 });
  const kept = await database.selectFrom('history').select('detail').where('deviceId', '=', id).where('origin', '=', 'device').execute();
  expect(kept).toHaveLength(12);
  expect(kept.map(({ detail }) => detail)).toContain('number 30');
  expect(kept.map(({ detail }) => detail)).not.toContain('number 5');
});
