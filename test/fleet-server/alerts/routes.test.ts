/** The whole way: a device goes, an alert is opened, somebody is told, over a restart, and is told that it is over. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alert, AlertChannel, AlertList, AlertNotice, AlertRule, AlertRuleList } from '#protocol/model/alert.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';
import { HttpReceiver } from './receivers.ts';

let api: ApiUnderTest;
let http: HttpReceiver;
let url: string;
beforeEach(async () => {
  http = new HttpReceiver();
  url = await http.start();
  api = await startApi();
});
afterEach(async () => {
  await api.close();
  await http.stop();
});

const call = async <T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object): Promise<T> =>
  (await api.request({ method, url: `/api/v1${path}`, ...(payload === undefined ? {} : { payload }) })).json<T>();
const alerts = async (query = '') => (await call<AlertList>('GET', `/alerts${query}`)).alerts;
const told = () => http.notices.map(({ body }) => JSON.parse(body) as AlertNotice).map(({ event, alert }) => `${event}: ${alert.title}`);
/** A second of the fleet server's at a time, until it is so; between two, what is told has the time to arrive. */
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

const webhook = (name = 'the team', path = '/hook') =>
  call<AlertChannel>('POST', '/alert-channels', { name, target: { kind: 'webhook', url: url + path, secret: 'geheim' } });
const basic = {
  name: 'away',
  trigger: { kind: 'offline' },
  forS: 10,
  severity: 'critical',
  group: null,
  enabled: true,
  quietHours: null,
  escalation: null,
};
const mail = { kind: 'email', host: 'mail.example.org', port: 465, secure: true, from: 'a@b.org', to: ['c@d.org'], user: 'alerts' };
const removeFirstRules = async () => {
  for (const { id } of (await call<AlertRuleList>('GET', '/alert-rules')).rules)
    await api.request({ method: 'DELETE', url: `/api/v1/alert-rules/${id}` });
};

async function deviceThatWent(): Promise<void> {
  const { deviceId } = await api.join({ name: 'stage' });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('hello', bodies.hello());
  voice.disconnect();
}

test('what a rule or a channel was stays in the audit log when it is removed, under its name', async () => {
  const channel = await webhook();
  const rule = await call<AlertRule>('POST', '/alert-rules', { ...basic, channelIds: [channel.id] });
  await api.request({ method: 'DELETE', url: `/api/v1/alert-rules/${rule.id}` });
  await api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${channel.id}` });
  const { entries } = await call<AuditPage>('GET', '/audit-log');
  const of = (action: string) => entries.find((entry) => entry.action === action);
  expect(of('alert-rule-added')).toMatchObject({ subject: 'away', changes: [{ field: 'rule', before: null }] });
  expect(JSON.parse(of('alert-rule-removed')?.changes[0]?.before ?? '')).toEqual(rule);
  expect(of('alert-channel-removed')).toMatchObject({ subject: 'the team', changes: [{ field: 'target', after: null }] });
  expect(JSON.stringify(entries)).not.toContain('geheim');
});

describe('an alert', () => {
  test('is opened, told, acknowledged, over, and told to be over', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id] });
    const { deviceId } = await api.join({ name: 'stage' });
    const voice = api.voice(deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    voice.disconnect();
    await passUntil('told', () => told().length === 1);
    const [alert] = await alerts();
    expect(alert).toMatchObject({ state: 'open', title: 'stage is offline', deviceId, severity: 'critical', ruleName: 'away' });
    const acknowledged = await call<Alert>('POST', `/alerts/${alert?.id}/acknowledge`);
    expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'admin' });
    const { entries } = await call<AuditPage>('GET', '/audit-log?action=alert-acknowledged');
    expect(entries).toMatchObject([{ actor: 'admin', subject: acknowledged.title }]);
    voice.connect();
    await voice.say('hello', bodies.hello());
    await passUntil('told that it is over', () => told().length === 2);
    expect(told()).toEqual(['opened: stage is offline', 'resolved: stage is offline']);
    expect((await alerts('?resolved=true')).map(({ state }) => state)).toEqual(['resolved']);
    expect(await alerts('?resolved=false')).toEqual([]);
    expect(await call('POST', `/alerts/${alert?.id}/acknowledge`)).toMatchObject({ code: 'not-found' });
  });

  test('is neither opened sooner nor told later because the clock was set', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id] });
    await deviceThatWent();
    await api.clock.advance(3000);
    api.clock.set(3_600_000);
    await api.clock.advance(3000);
    expect(await alerts()).toEqual([]);
    await passUntil('opened', async () => (await alerts()).length === 1);
    http.status = 503;
    await passUntil('tried', () => http.notices.length > 0);
    http.status = 200;
    const before = http.notices.length;
    api.clock.set(-7_200_000);
    await passUntil('told', () => http.notices.length > before);
    expect(http.notices.length).toBeLessThan(10);
  });

  test('is told again with growing pauses while nobody takes it, over a restart too, and once when it is taken', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id] });
    http.status = 503;
    await deviceThatWent();
    await passUntil('tried twice', () => http.notices.length >= 2);
    const { lastAttempt } = (await call<{ channels: AlertChannel[] }>('GET', '/alert-channels')).channels[0] as AlertChannel;
    expect(lastAttempt?.problem).toBe('expected an answer from 200 to 299, got 503');

    const { directory, clock } = api;
    await api.stop();
    api = await startApi({ directory, clock });
    http.status = 200;
    const before = http.notices.length;
    await passUntil('taken', () => http.notices.length > before);
    for (let seconds = 0; seconds < 120; seconds += 1) await api.clock.advance(1000);
    expect(http.notices).toHaveLength(before + 1);
    expect((await alerts()).map(({ state }) => state)).toEqual(['open']);
  });

  test('is never told to be over before it was told to have begun, though nobody took that at first, over a restart too', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id] });
    http.status = 503;
    const { deviceId } = await api.join({ name: 'stage' });
    const comes = async () => {
      const voice = api.voice(deviceId);
      voice.newSession(`boot at ${api.clock.nowMs()}`);
      voice.connect();
      await voice.say('hello', bodies.hello());
      return voice;
    };
    (await comes()).disconnect();
    await passUntil('tried twice', () => http.notices.length >= 2);
    await comes();
    await passUntil('over', async () => (await alerts('?resolved=true')).length === 1);
    await api.clock.advance(3000);
    const { directory, clock } = api;
    await api.stop();
    expect(new Set(told())).toEqual(new Set(['opened: stage is offline']));
    const refused = told().length;
    api = await startApi({ directory, clock });
    await comes();
    http.status = 200;
    await passUntil('told that it is over', () => told().includes('resolved: stage is offline'));
    expect(told().slice(refused)).toEqual(['opened: stage is offline', 'resolved: stage is offline']);
  });

  test('of a venue is told once over restarts, which do not set back since when it is so; the last device has its own', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basic, forS: 120, channelIds: [channel.id] });
    const devices: string[] = [];
    for (const name of ['a', 'b', 'c']) devices.push((await api.join({ name, group: 'hall' })).deviceId);
    const voices = () => devices.map((deviceId) => api.voice(deviceId));
    for (const voice of voices()) {
      voice.connect();
      await voice.say('hello', bodies.hello());
      voice.disconnect();
    }
    const restart = async () => {
      const { directory, clock } = api;
      await api.stop();
      api = await startApi({ directory, clock });
    };
    const leftAtMs = api.clock.nowMs();
    for (let seconds = 0; seconds < 90; seconds += 1) await api.clock.advance(1000);
    await restart();
    await passUntil('told', () => told().length === 1);
    expect(api.clock.nowMs() - leftAtMs).toBeLessThan(130_000);
    await restart();
    for (let seconds = 0; seconds < 60; seconds += 1) await api.clock.advance(1000);
    expect((await alerts('?resolved=false')).map(({ title, detail }) => `${title}: ${detail}`)).toEqual([
      '3 of 3 devices of hall went offline: 3 now: a, b, c. Look at the network and the power of the venue.',
    ]);
    for (const voice of voices().slice(1)) {
      voice.connect();
      await voice.say('hello', bodies.hello());
    }
    await passUntil('told of the last one', () => told().length === 3);
    const all = '3 of 3 devices of hall went offline';
    expect(told().toSorted()).toEqual([`opened: ${all}`, 'opened: a is offline', `resolved: ${all}`]);
  });

  test('is told while another channel hangs, at which hundreds are due', async () => {
    await removeFirstRules();
    const [dead, team] = [await webhook('dead', '/dead'), await webhook('team', '/team')];
    http.silentAt = '/dead';
    const { database } = api.store();
    const row = { alertId: 'x', channelId: dead.id, event: 'opened', document: '{"event":"opened","alert":{}}', attempts: 0 };
    const times = { createdAtMs: api.clock.nowMs(), nextAttemptAtMs: 0 };
    const rows = Array.from({ length: 300 }, (_, index) => ({ ...row, ...times, id: `n${index}` }));
    await database.insertInto('alertNotices').values(rows).execute();
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id] });
    await deviceThatWent();
    const paths = () => http.notices.map(({ path }) => path);
    await passUntil('told', () => paths().includes('/team'));
    expect(paths().filter((path) => path === '/dead')).toHaveLength(5);
    await database.deleteFrom('alertNotices').where('attempts', '=', 0).execute();
    http.cut();
  });

  test('that nobody acknowledges is told to others, once', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id], escalation: { afterS: 60, channelIds: [boss.id] } });
    await deviceThatWent();
    await passUntil('escalated', () => http.notices.length >= 2);
    for (let seconds = 0; seconds < 120; seconds += 1) await api.clock.advance(1000);
    expect(http.notices.map(({ path, body }) => `${path} ${(JSON.parse(body) as AlertNotice).event}`)).toEqual([
      '/team opened',
      '/boss escalated',
    ]);
  });

  test('is told to others after the time that was asked for, though clocks are set and the server starts anew meanwhile', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id], escalation: { afterS: 60, channelIds: [boss.id] } });
    await deviceThatWent();
    const newest = async () => (await alerts())[0];
    await passUntil('opened', async () => (await newest()) !== undefined);
    let seconds = 0;
    const pass = async (count: number) => {
      for (let second = 0; second < count; second += 1) {
        await api.clock.advance(1000);
        seconds += 1;
        if ((await newest())?.escalatedAt !== null) return;
      }
    };
    const restart = async () => {
      const { directory, clock } = api;
      await api.stop();
      api = await startApi({ directory, clock });
    };
    await pass(20);
    api.clock.set(3_600_000);
    await pass(10);
    await restart();
    await pass(10);
    api.clock.set(-7_200_000);
    await restart();
    expect((await newest())?.escalatedAt).toBeNull();
    await pass(100);
    expect(seconds).toBeGreaterThanOrEqual(60);
    // With each restart up to five seconds that were not written yet, and a look.
    expect(seconds).toBeLessThanOrEqual(60 + 3 * 6);
  });

  test('in quiet hours is told at their end, and not at all when it is over by then', async () => {
    await removeFirstRules();
    const channel = await webhook();
    // The clock of the tests stands at 12:00 UTC.
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id], quietHours: { from: '11:00', to: '12:02', timeZone: 'UTC' } });
    const short = await api.join({ name: 'short' });
    const voice = api.voice(short.deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    voice.disconnect();
    await deviceThatWent();
    for (let seconds = 0; seconds < 40; seconds += 1) await api.clock.advance(1000);
    expect(await alerts('?resolved=false')).toHaveLength(2);
    voice.connect();
    await voice.say('hello', bodies.hello());
    await passUntil('told', () => told().length > 0);
    expect(told()).toEqual(['opened: stage is offline']);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
  });
});

describe('quiet hours that begin or end while something is wrong', () => {
  const events = () => http.notices.map(({ path, body }) => `${path} ${(JSON.parse(body) as AlertNotice).event}`);

  test('nobody is asked why nobody acknowledged what nobody was told yet', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    const quietHours = { from: '11:00', to: '12:02', timeZone: 'UTC' };
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id], quietHours, escalation: { afterS: 60, channelIds: [boss.id] } });
    await deviceThatWent();
    await passUntil('told', () => http.notices.length > 0);
    expect(events()).toEqual(['/team opened']);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
    await passUntil('escalated', () => http.notices.length > 1);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:03:00Z'));
  });

  test.each([
    ['taken away', null, '12:00'],
    ['shortened', { from: '11:00', to: '12:02', timeZone: 'UTC' }, '12:02'],
  ])('what is held is told when they are %s, and so is what was refused before them', async (_what, quietHours, from) => {
    await removeFirstRules();
    const channel = await webhook();
    const rule = (to: string) => ({ ...basic, channelIds: [channel.id], quietHours: { from: '12:00', to, timeZone: 'UTC' } });
    const { id } = await call<AlertRule>('POST', '/alert-rules', { ...rule('12:00'), quietHours: null });
    http.status = 503;
    await deviceThatWent();
    await passUntil('refused', () => http.notices.length > 0);
    http.status = 200;
    await call('PUT', `/alert-rules/${id}`, rule('15:00'));
    const { deviceId } = await api.join({ name: 'second' });
    const voice = api.voice(deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    voice.disconnect();
    const before = http.notices.length;
    for (let seconds = 0; seconds < 25; seconds += 1) await api.clock.advance(1000);
    expect(http.notices).toHaveLength(before);
    await call('PUT', `/alert-rules/${id}`, { ...rule('15:00'), quietHours });
    await passUntil('both told', () => http.notices.length === before + 2);
    const nowMs = api.clock.nowMs();
    expect(nowMs).toBeLessThan(Date.parse('2026-11-21T12:02:05Z'));
    expect(nowMs).toBeGreaterThanOrEqual(Date.parse(`2026-11-21T${from}:00Z`));
  });

  test('what was refused before they began is tried again at their end', async () => {
    await removeFirstRules();
    const channel = await webhook();
    const quietHours = { from: '12:01', to: '12:04', timeZone: 'UTC' };
    await call('POST', '/alert-rules', { ...basic, channelIds: [channel.id], quietHours });
    http.status = 503;
    await deviceThatWent();
    await passUntil('tried', () => http.notices.length > 0);
    const waits = async () => {
      const rows = await api.store().database.selectFrom('alertNotices').select(['attempts', 'nextAttemptAtMs']).execute();
      return rows.some(({ attempts, nextAttemptAtMs }) => attempts > 0 && nextAttemptAtMs === Date.parse('2026-11-21T12:04:00Z'));
    };
    await passUntil('it to wait for the end of the quiet hours', waits);
    const before = http.notices.length;
    http.status = 200;
    await passUntil('told', () => http.notices.length > before);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:04:00Z'));
  });

  test('what is due within them is told at their end; who was not told of the trouble is not told that it is over', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    const quietHours = { from: '12:01', to: '12:02', timeZone: 'UTC' };
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id], quietHours, escalation: { afterS: 60, channelIds: [boss.id] } });
    const { deviceId } = await api.join({ name: 'stage' });
    const voice = api.voice(deviceId);
    voice.connect();
    await voice.say('hello', bodies.hello());
    voice.disconnect();
    await passUntil('told', () => http.notices.length > 0);
    expect(api.clock.nowMs()).toBeLessThan(Date.parse('2026-11-21T12:01:00Z'));
    await passUntil('escalated', async () => (await alerts())[0]?.escalatedAt !== null);
    expect(api.clock.nowMs()).toBeLessThan(Date.parse('2026-11-21T12:02:00Z'));
    voice.connect();
    await voice.say('hello', bodies.hello());
    await passUntil('told that it is over', () => http.notices.length > 1);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
    for (let seconds = 0; seconds < 10; seconds += 1) await api.clock.advance(1000);
    expect(events()).toEqual(['/team opened', '/team resolved']);
  });
});

describe('an escalation of what somebody acknowledges meanwhile', () => {
  const notices = () => http.notices.map(({ path, body }) => ({ path, ...(JSON.parse(body) as AlertNotice) }));
  const told = () => notices().map(({ path, event, alert }) => `${path} ${event} ${alert.acknowledgedBy}`);
  const acknowledge = async () => call<Alert>('POST', `/alerts/${(await alerts())[0]?.id}/acknowledge`);
  async function escalating(rule: object): Promise<void> {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    await call('POST', '/alert-rules', { ...basic, ...rule, channelIds: [team.id], escalation: { afterS: 60, channelIds: [boss.id] } });
  }
  async function comesBack(): Promise<void> {
    const [device] = (await call<{ devices: { id: string }[] }>('GET', '/devices')).devices;
    const voice = api.voice(device?.id ?? '');
    voice.newSession('another boot');
    voice.connect();
    await voice.say('hello', bodies.hello());
  }

  test('is not told once quiet hours end, and neither is the recovery to those who knew of nothing', async () => {
    await escalating({ quietHours: { from: '12:01', to: '12:03', timeZone: 'UTC' } });
    await deviceThatWent();
    await passUntil('escalated', async () => (await alerts())[0]?.escalatedAt != null);
    await acknowledge();
    const endsMs = Date.parse('2026-11-21T12:03:00Z');
    await passUntil('no longer quiet', () => api.clock.nowMs() > endsMs + 5000);
    expect(told()).toEqual(['/team opened null']);
    await comesBack();
    await passUntil('told that it is over', () => told().includes('/team resolved admin'));
    for (let seconds = 0; seconds < 10; seconds += 1) await api.clock.advance(1000);
    expect(told()).toEqual(['/team opened null', '/team resolved admin']);
  });

  test('says who did where its channel refused it before', async () => {
    await escalating({});
    await deviceThatWent();
    await passUntil('told', () => http.notices.length === 1);
    http.status = 503;
    await passUntil('refused', () => http.notices.length === 2);
    await acknowledge();
    http.status = 200;
    await passUntil('told', () => http.notices.length === 3);
    expect(told()).toEqual(['/team opened null', '/boss escalated null', '/boss escalated admin']);
    expect(notices()[2]?.alert.state).toBe('acknowledged');
  });
});

describe('who is told further', () => {
  const events = () => http.notices.map(({ path, body }) => `${path} ${(JSON.parse(body) as AlertNotice).event}`);
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) await api.clock.advance(1000);
  };
  const newest = async () => (await alerts())[0];
  async function open(escalates: boolean): Promise<{ readonly rule: AlertRule; readonly boss: AlertChannel }> {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    const escalation = escalates ? { afterS: 60, channelIds: [boss.id] } : null;
    const rule = await call<AlertRule>('POST', '/alert-rules', { ...basic, channelIds: [team.id], escalation });
    await deviceThatWent();
    await passUntil('told', () => http.notices.length === 1);
    return { rule, boss };
  }
  const put = ({ id, ...request }: AlertRule, change: Partial<AlertRule>) =>
    api.request({ method: 'PUT', url: `/api/v1/alert-rules/${id}`, payload: { ...request, ...change } });

  test('nobody, and it is not said, once the rule has no escalation; one that is added later counts from then on', async () => {
    const { rule } = await open(true);
    await put(rule, { escalation: null });
    await pass(70);
    expect((await newest())?.escalatedAt).toBeNull();
    await put(rule, {});
    const addedMs = api.clock.nowMs();
    await passUntil('escalated', () => http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(api.clock.nowMs() - addedMs).toBeGreaterThanOrEqual(58_000);
    expect((await newest())?.escalatedAt).not.toBeNull();
  });

  test('is told of what was open before the rule had an escalation', async () => {
    const { rule, boss } = await open(false);
    await put(rule, { escalation: { afterS: 60, channelIds: [boss.id] } });
    await passUntil('escalated', () => http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
  });

  test('nobody, and it is not said, once its only channel is removed; the rule is as it can be written back', async () => {
    const { rule, boss } = await open(true);
    await api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${boss.id}` });
    await pass(70);
    expect((await newest())?.escalatedAt).toBeNull();
    const [now] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    expect(now).toEqual({ ...rule, escalation: null });
    await api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${rule.channelIds[0]}` });
    const [last] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    expect(last).toEqual({ ...rule, channelIds: [], escalation: null });
    expect((await put(last as AlertRule, {})).statusCode).toBe(200);
    expect(events()).toEqual(['/team opened']);
  });

  test('nobody while all devices of one alert are in a maintenance window', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    await call('POST', '/alert-rules', { ...basic, channelIds: [team.id], escalation: { afterS: 60, channelIds: [boss.id] } });
    for (const name of ['a', 'b', 'c']) {
      const voice = api.voice((await api.join({ name, group: 'hall' })).deviceId);
      voice.connect();
      await voice.say('hello', bodies.hello());
      voice.disconnect();
    }
    await passUntil('told', () => http.notices.length === 1);
    const schedule = { kind: 'once', from: '2026-11-21T12:00:00.000Z', to: '2026-11-21T12:03:00.000Z' };
    await call('POST', '/maintenance-windows', { scope: { kind: 'fleet' }, reason: 'the hall is rebuilt', schedule });
    await pass(120);
    expect(events()).toEqual(['/team opened']);
    await passUntil('escalated', () => http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse(schedule.to));
  });
});

describe('an alert that is over without a recovery', () => {
  const removeDevice = async () => {
    const [alert] = await alerts();
    await api.request({ method: 'DELETE', url: `/api/v1/devices/${alert?.deviceId}` });
  };
  const blockDevice = async () => {
    const [alert] = await alerts();
    await api.request({ method: 'POST', url: `/api/v1/devices/${alert?.deviceId}/access`, payload: { decision: 'block' } });
  };
  const changeRule = async (change: Partial<AlertRule>) => {
    const [rule] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    const { id, ...request } = rule as AlertRule;
    await api.request({ method: 'PUT', url: `/api/v1/alert-rules/${id}`, payload: { ...request, ...change } });
  };
  test.each<[string, () => Promise<void>]>([
    ['rule-off', () => changeRule({ enabled: false })],
    ['rule-removed', removeFirstRules],
    ['not-watched', () => changeRule({ group: 'elsewhere' })],
    ['device-removed', removeDevice],
    ['device-blocked', blockDevice],
  ])('says why: %s', async (reason, end) => {
    await removeFirstRules();
    const { id } = await webhook();
    await call('POST', '/alert-rules', { ...basic, channelIds: [id] });
    await deviceThatWent();
    await passUntil('told', () => http.notices.length === 1);
    await end();
    await passUntil('told that it is over', () => http.notices.length === 2);
    const notices = http.notices.map(({ body }) => JSON.parse(body) as AlertNotice);
    expect(notices[1]).toMatchObject({ event: 'resolved', reason });
  });
});

describe('rules and channels', () => {
  test('a new fleet has rules, and those that somebody removed do not come back', async () => {
    expect((await call<AlertRuleList>('GET', '/alert-rules')).rules.map(({ name }) => name)).toEqual([
      'The relay is down',
      'A device is offline',
      'Something critical',
      'A new device waits for approval',
      'The connection of a device comes and goes',
    ]);
    await removeFirstRules();
    const { directory, clock } = api;
    await api.stop();
    api = await startApi({ directory, clock });
    expect((await call<AlertRuleList>('GET', '/alert-rules')).rules).toEqual([]);
  });

  test('a secret goes in and never comes out, and one that is left out stays', async () => {
    const { id, target } = await webhook();
    expect(target).toEqual({ kind: 'webhook', url: `${url}/…` });
    await call('PUT', `/alert-channels/${id}`, { name: 'other name', target: { kind: 'webhook', url: `${url}/other` } });
    expect((await api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` })).statusCode).toBe(204);
    expect(http.notices[0]?.path).toBe('/other');
    expect(http.notices[0]?.headers['x-makespacelive-signature']).toMatch(/^sha256=/);
    const kept = await call<AlertChannel>('PUT', `/alert-channels/${id}`, { name: 'third name', target });
    expect(kept).toMatchObject({ name: 'third name', target });
    expect((await api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` })).statusCode).toBe(204);
    expect(http.notices[1]?.path).toBe('/other');
    const olderEntry = { field: 'target', before: null, after: '{"kind":"webhook","url":"https://hooks.example/geheim' };
    const row = { atMs: 0, actor: 'admin', action: 'alert-channel-added', subject: 'old', changes: JSON.stringify([olderEntry]) };
    await api.store().database.insertInto('auditLog').values(row).execute();
    expect(JSON.stringify(await call<object>('GET', '/audit-log?subject=old'))).toContain('https://hooks.example/…');
    expect(JSON.stringify(await call<object>('GET', '/audit-log'))).not.toContain('/other');
    const everything = [
      await call<object>('GET', '/alert-channels'),
      await call<object>('GET', '/audit-log'),
      await api.store().database.selectFrom('alertChannels').selectAll().execute(),
    ];
    expect(JSON.stringify(everything) + api.logText()).not.toContain('geheim');
  });

  test('a secret goes to no other place than the one that it was given for', async () => {
    const ntfy = { kind: 'ntfy', url: 'https://ntfy.example.org/hall', token: 'geheim' };
    const hook = { kind: 'webhook', url: 'https://example.org/hook', secret: 'geheim' };
    const elsewhere: readonly (readonly [field: string, target: object, change: object])[] = [
      ['token', ntfy, { url: 'https://ntfy.example.org:8443/hall' }],
      ['token', ntfy, { url: 'http://ntfy.example.org/hall' }],
      ['secret', hook, { url: 'https://example.org.evil.example/hook' }],
      ['secret', hook, { url: 'https://example.org@evil.example/hook' }],
      ['password', { ...mail, password: 'geheim' }, { host: 'mail.evil.example' }],
      ['password', { ...mail, password: 'geheim' }, { port: 2525 }],
      ['password', { ...mail, password: 'geheim' }, { secure: false }],
    ];
    for (const [field, target, change] of elsewhere) {
      const { id } = await call<AlertChannel>('POST', '/alert-channels', { name: 'team', target });
      const open = Object.fromEntries(Object.entries({ ...target, ...change }).filter(([name]) => name !== field));
      const put = (next: object) =>
        api.request({ method: 'PUT', url: `/api/v1/alert-channels/${id}`, payload: { name: 'team', target: next } });
      const stored = () => api.store().database.selectFrom('alertChannels').select('target').where('id', '=', id).execute();
      const before = await stored();
      const refused = await put(open);
      expect(refused.statusCode, JSON.stringify(change)).toBe(400);
      expect(refused.json()).toMatchObject({ code: 'wrong-fields', problems: [{ key: `body/target/${field}` }] });
      expect(refused.body).not.toContain('geheim');
      expect(await stored()).toEqual(before);
      expect((await put({ ...open, [field]: 'given again' })).statusCode).toBe(200);
    }
  });

  test('a test that does not arrive says why', async () => {
    const { id } = await webhook();
    http.status = 403;
    const response = await api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` });
    expect(response.statusCode).toBe(502);
    expect(response.json()).toEqual({ code: 'not-told', message: 'The test did not arrive: expected an answer from 200 to 299, got 403.' });
  });

  test.each([
    ['/alert-rules', { ...basic, channelIds: ['nobody'] }],
    ['/alert-rules', { ...basic, channelIds: [], quietHours: { from: '25:00', to: '07:00', timeZone: 'UTC' } }],
    ['/alert-rules', { ...basic, channelIds: [], quietHours: { from: '22:00', to: '07:00', timeZone: 'Mars/Olympus' } }],
    ['/alert-rules', { ...basic, channelIds: [], trigger: { kind: 'sunset' } }],
    ['/alert-rules', { ...basic, channelIds: [], forS: -1 }],
    ['/alert-channels', { name: 'x', target: { kind: 'webhook', url: 'file:///etc/passwd' } }],
    ['/alert-channels', { name: 'x', target: { kind: 'email', host: 'a b', port: 25, secure: false, from: 'a@b', to: ['c@d'] } }],
    [
      '/alert-channels',
      { name: 'x', target: { kind: 'email', host: 'mail', port: 25, secure: false, from: 'a@b', to: ['c@d\r\nBcc: e@f'] } },
    ],
    ['/alert-channels', { name: '', target: { kind: 'ntfy', url: 'https://ntfy.example.org/topic' } }],
  ])('with wrong fields are refused: %s %o', async (path, payload) => {
    expect((await api.request({ method: 'POST', url: `/api/v1${path}`, payload })).statusCode).toBe(400);
  });

  test('are an admin’s business; what is wrong now is everybody’s', async () => {
    const viewer = await api.addPerson('ada', 'viewer');
    const status = async (method: 'GET' | 'POST', path: string) =>
      (await api.request({ method, url: `/api/v1${path}`, as: viewer, ...(method === 'POST' ? { payload: {} } : {}) })).statusCode;
    expect(await status('GET', '/alerts')).toBe(200);
    expect(await status('GET', '/alert-channels')).toBe(403);
    expect(await status('POST', '/alerts/x/acknowledge')).toBe(403);
    const changed = await call<AlertRule>('POST', '/alert-rules', { ...basic, channelIds: [] });
    expect((await call<AlertRule>('PUT', `/alert-rules/${changed.id}`, { ...basic, name: 'renamed', channelIds: [] })).name).toBe(
      'renamed',
    );
  });
});
