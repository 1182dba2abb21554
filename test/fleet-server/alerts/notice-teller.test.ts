/** More alerts than a channel is told one by one: over a restart, over a receiver that takes nothing, and to what is over meanwhile. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toAlert } from '#fleet-server/alerts/alert-view.ts';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import { digestPolicy } from '#fleet-server/alerts/digest.ts';
import type {} from '#fleet-server/servers/plugin.ts';
import type { AlertChannel, AlertDigest, AlertNotice } from '#protocol/model/alert.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { HttpReceiver, MailReceiver } from './receivers.ts';

const dayMs = 86_400_000;
let api: ApiUnderTest;
let http: HttpReceiver;
let url: string;
let channel: AlertChannel;
beforeEach(async () => {
  http = new HttpReceiver();
  url = await http.start();
  api = await startApi();
  const payload = { name: 'the team', target: { kind: 'webhook', url } };
  channel = (await api.request({ method: 'POST', url: '/api/v1/alert-channels', payload })).json<AlertChannel>();
});
afterEach(async () => {
  await api.close();
  await http.stop();
});

/** Something to be told, as the alerts leave it in the store. */
async function queue(title: string): Promise<void> {
  const { database } = api.store();
  const nowMs = api.clock.nowMs();
  const row = {
    ...{ id: randomUUID(), key: `r/${title}`, ruleId: 'r', ruleName: 'away', severity: 'warning', title, detail: '', deviceId: null },
    ...{ openedAtMs: nowMs, acknowledgedAtMs: null, acknowledgedBy: null, escalateInMs: null, escalatedAtMs: null },
    ...{ resolvedAtMs: null, toldChannels: channel.id },
  };
  const notice: AlertNotice = { event: 'opened', alert: toAlert(row), deviceName: null, url: null };
  await store.insertAlert(database, row);
  await store.insertNotices(database, [
    {
      ...{ id: randomUUID(), alertId: row.id, channelId: channel.id, event: 'opened', document: JSON.stringify(notice) },
      ...{ createdAtMs: nowMs, attempts: 0, nextAttemptAtMs: nowMs },
    },
  ]);
}
const messages = () => http.notices.map(({ body }) => JSON.parse(body) as AlertNotice | AlertDigest);
const titles = (message: AlertNotice | AlertDigest | undefined) =>
  message === undefined
    ? []
    : message.event === 'digest'
      ? message.notices.map(({ alert, event }) => `${event} ${alert.title}`)
      : [message.alert.title];
const passUntil = (what: string, ask: () => boolean | Promise<boolean>) =>
  until(
    what,
    20_000,
    async () => {
      await api.clock.advance(1000);
      return ask();
    },
    5,
  );
const isOpened = (title: string) => title.startsWith('opened ');

/** So many were told one by one a moment ago. */
const toldBefore = (count: number) =>
  store.updateChannel(api.store().database, channel.id, {
    told: JSON.stringify({ singlesAtMs: Array.from({ length: count }, () => api.clock.nowMs()), digestAtMs: null }),
  });

test('past twenty in ten minutes they are one message, each told once, over a restart too', async () => {
  await toldBefore(digestPolicy.singles - 2);
  const all = ['a', 'b', 'c', 'd', 'e'];
  for (const title of all) await queue(title);
  await passUntil('told', () => messages().some(({ event }) => event === 'digest'));
  const before = messages();
  expect(before).toHaveLength(3);
  const digested = titles(before.at(-1)).filter(isOpened);
  expect([...before.slice(0, -1).flatMap(titles), ...digested.map((title) => title.slice(7))].toSorted()).toEqual(all);
  const { directory, clock } = api;
  await queue('late');
  await api.stop();
  api = await startApi({ directory, clock });
  // In the minute after a digest nothing is told.
  for (let second = 0; second < 15; second += 1) await api.clock.advance(1000);
  expect(messages()).toHaveLength(3);
  await toldBefore(digestPolicy.singles);
  await passUntil('told', () => messages().length > 3);
  const after = messages().slice(3);
  expect(after.map(({ event }) => event)).toEqual(['digest']);
  // No rule is about it, so it is over by now: that is told with the rest.
  expect(titles(after[0])).toEqual(expect.arrayContaining(['opened late', 'resolved late']));
});

test('while the server before may still be telling that something began, nobody is told that it is over', async () => {
  await queue('a');
  const { directory, clock } = api;
  await api.stop();
  api = await startApi({ directory, clock });
  const startedMs = clock.monotonicMs();
  const events = () => messages().map(({ event }) => event);
  await passUntil('told that it began', () => messages().length > 0);
  // No rule is about it.
  await passUntil('told that it is over', () => messages().length > 1);
  expect(events()).toEqual(['opened', 'resolved']);
  expect(clock.monotonicMs() - startedMs).toBeGreaterThan(10_000);
});

describe('what is under way at a channel that hangs', () => {
  /** It has arrived, and no answer comes. */
  async function hang(): Promise<void> {
    http.silentAt = '/';
    await queue('a');
    await passUntil('under way', () => messages().length === 1);
  }
  const attempts = async () =>
    (await api.store().database.selectFrom('alertNotices').select(['event', 'attempts']).execute()).filter(
      ({ event }) => event === 'opened',
    );

  test('is waited for a moment when the server stops, and told again after its start', async () => {
    await hang();
    const { directory, clock } = api;
    const beganMs = clock.monotonicMs();
    let isStopped = false;
    const stopped = api.stop().then(() => {
      isStopped = true;
    });
    await until('stopped', 8000, async () => {
      await clock.advance(100);
      return isStopped;
    });
    await stopped;
    expect(clock.monotonicMs() - beganMs).toBeGreaterThan(1400);
    api = await startApi({ directory, clock });
    expect(await attempts()).toEqual([{ event: 'opened', attempts: 0 }]);
    http.silentAt = null;
    await passUntil('told again', () => messages().length > 1);
    expect(messages()[1]).toEqual(messages()[0]);
  });

  test('is broken off when another server takes the lead, and told again by whoever leads', async () => {
    await hang();
    const { servers } = api.app;
    const lead = servers.isLeader;
    servers.isLeader = () => false;
    await api.clock.advance(1000);
    expect(await attempts()).toEqual([{ event: 'opened', attempts: 0 }]);
    servers.isLeader = lead;
    http.silentAt = null;
    await passUntil('told again', () => messages().length > 1);
    expect(messages()[1]).toEqual(messages()[0]);
    expect(api.logText()).not.toContain('an alert could not be told');
  });
});

describe('a mail that is refused for one of several', () => {
  let mail: MailReceiver;
  beforeEach(async () => {
    mail = new MailReceiver();
    const target = {
      ...{ kind: 'email', host: '127.0.0.1', port: await mail.start(), secure: false },
      ...{ from: 'fleet@example.org', to: ['ada@example.org', 'bob@example.org'] },
    };
    await api.request({ method: 'PUT', url: `/api/v1/alert-channels/${channel.id}`, payload: { name: 'the team', target } });
  });
  afterEach(() => mail.stop());
  const opened = () => mail.mails.flatMap(({ to, text }) => (/^Subject: a\r$/m.test(text) ? [to] : []));
  const waiting = async () =>
    (await api.store().database.selectFrom('alertNotices').select('event').execute()).filter(({ event }) => event === 'opened').length;
  const problem = async () => (await store.findChannel(api.store().database, channel.id))?.lastProblem;

  test('for good is told of on the channel, and not tried again', async () => {
    mail.refuses.set('bob@example.org', 550);
    await queue('a');
    await passUntil('told', async () => opened().length > 0 && (await waiting()) === 0);
    expect(opened()).toEqual([['ada@example.org']]);
    expect(await problem()).toBe('it was taken, but not for bob@example.org (550 not here)');
  });

  test('for now is tried again, for that one alone', async () => {
    mail.refuses.set('bob@example.org', 451);
    await queue('a');
    await passUntil('refused', async () => (await problem()) != null);
    mail.refuses.clear();
    await passUntil('told', async () => (await waiting()) === 0);
    expect(opened()).toEqual([['ada@example.org'], ['bob@example.org']]);
  });

  test('for long is given up before what comes next waits too long', async () => {
    mail.refuses.set('bob@example.org', 452);
    const beganMs = api.clock.monotonicMs();
    await queue('a');
    for (let attempts = 0; (await waiting()) > 0; attempts += 1) {
      expect(attempts).toBeLessThan(100);
      await api.clock.advance(10_000);
    }
    expect(api.clock.monotonicMs() - beganMs).toBeGreaterThan(300_000);
    expect(opened()).toEqual([['ada@example.org']]);
  });
});

test('a digest that is not taken is tried again, and nothing of it is lost', async () => {
  await toldBefore(digestPolicy.singles);
  http.status = 503;
  for (const title of ['a', 'b', 'c']) await queue(title);
  const opened = ['opened a', 'opened b', 'opened c'];
  await passUntil('refused', () => titles(messages().at(-1)).includes('opened c'));
  http.status = 200;
  const refused = messages().length;
  const again = () =>
    messages()
      .slice(refused)
      .find((message) => titles(message).includes('opened c'));
  await passUntil('tried again', () => again() !== undefined);
  expect(titles(again()).filter(isOpened).toSorted()).toEqual(opened);
});

test('what nobody takes is tried for a day, whatever the clock is set to, and then given up', async () => {
  http.status = 503;
  await queue('a');
  const { database } = api.store();
  const tried = (before: number) =>
    until(
      'that it is tried again',
      20_000,
      async () => {
        await api.clock.advance(1000);
        const row = await database.selectFrom('alertNotices').selectAll().where('event', '=', 'opened').executeTakeFirst();
        return row === undefined ? ('given up' as const) : row.attempts > before && row;
      },
      5,
    );
  let now = await tried(0);
  api.clock.set(2 * dayMs);
  let pausesMs = 0;
  while (now !== 'given up') {
    const pauseMs = Math.max(0, now.nextAttemptAtMs - api.clock.nowMs());
    api.clock.set(pauseMs);
    pausesMs += pauseMs;
    now = await tried(now.attempts);
  }
  expect(pausesMs / dayMs).toBeGreaterThan(0.8);
  expect(pausesMs / dayMs).toBeLessThan(1.2);
  expect(await store.findChannel(database, channel.id)).toMatchObject({ lastProblem: expect.stringContaining('503') });
});
