/** The whole way: a device goes, an alert is opened, somebody is told, over a restart, and is told that it is over. */
import { describe, expect, test } from 'vitest';
import type { Alert, AlertChannel, AlertRule, AlertRuleList } from '#protocol/model/alert.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import { bodies } from '../api-under-test.ts';
import { alertsUnderTest, basicRule } from './alerts-under-test.ts';

const fleet = alertsUnderTest();
const { call, alerts, notices, told, pass, passUntil, webhook, removeFirstRules, deviceThatWent } = fleet;

describe('an alert', () => {
  test('is opened, told, acknowledged, over, and told to be over', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id] });
    const voice = await deviceThatWent();
    await passUntil('told', () => told().length === 1);
    const [alert] = await alerts();
    expect(alert).toMatchObject({
      state: 'open',
      title: 'stage is offline',
      deviceId: expect.any(String),
      severity: 'critical',
      ruleName: 'away',
    });
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
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id] });
    await deviceThatWent();
    await fleet.api.clock.advance(3000);
    fleet.api.clock.set(3_600_000);
    await fleet.api.clock.advance(3000);
    expect(await alerts()).toEqual([]);
    await passUntil('opened', async () => (await alerts()).length === 1);
    fleet.http.status = 503;
    await passUntil('tried', () => fleet.http.notices.length > 0);
    fleet.http.status = 200;
    const before = fleet.http.notices.length;
    fleet.api.clock.set(-7_200_000);
    await passUntil('told', () => fleet.http.notices.length > before);
    expect(fleet.http.notices.length).toBeLessThan(10);
  });

  test('is told again with growing pauses while nobody takes it, over a restart too, and once when it is taken', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id] });
    fleet.http.status = 503;
    await deviceThatWent();
    await passUntil('tried twice', () => fleet.http.notices.length >= 2);
    const { lastAttempt } = (await call<{ channels: AlertChannel[] }>('GET', '/alert-channels')).channels[0] as AlertChannel;
    expect(lastAttempt?.problem).toBe('expected an answer from 200 to 299, got 503');

    await fleet.restart();
    fleet.http.status = 200;
    const before = fleet.http.notices.length;
    await passUntil('taken', () => fleet.http.notices.length > before);
    await pass(120);
    expect(fleet.http.notices).toHaveLength(before + 1);
    expect((await alerts()).map(({ state }) => state)).toEqual(['open']);
  });

  test('is never told to be over before it was told to have begun, though nobody took that at first, over a restart too', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id] });
    fleet.http.status = 503;
    const { deviceId } = await fleet.api.join({ name: 'stage' });
    const comes = async () => {
      const voice = fleet.api.voice(deviceId);
      voice.newSession(`boot at ${fleet.api.clock.nowMs()}`);
      voice.connect();
      await voice.say('hello', bodies.hello());
      return voice;
    };
    (await comes()).disconnect();
    await passUntil('tried twice', () => fleet.http.notices.length >= 2);
    await comes();
    await passUntil('over', async () => (await alerts('?resolved=true')).length === 1);
    await fleet.api.clock.advance(3000);
    await fleet.api.stop();
    expect(new Set(told())).toEqual(new Set(['opened: stage is offline']));
    const refused = told().length;
    await fleet.startAgain();
    await comes();
    fleet.http.status = 200;
    await passUntil('told that it is over', () => told().includes('resolved: stage is offline'));
    expect(told().slice(refused)).toEqual(['opened: stage is offline', 'resolved: stage is offline']);
  });

  test('of a venue is told once over restarts, which do not set back since when it is so; the last device has its own', async () => {
    await removeFirstRules();
    const channel = await webhook();
    await call('POST', '/alert-rules', { ...basicRule, forS: 120, channelIds: [channel.id] });
    const devices: string[] = [];
    for (const name of ['a', 'b', 'c']) devices.push((await fleet.api.join({ name, group: 'hall' })).deviceId);
    const voices = () => devices.map((deviceId) => fleet.api.voice(deviceId));
    for (const voice of voices()) {
      voice.connect();
      await voice.say('hello', bodies.hello());
      voice.disconnect();
    }
    const leftAtMs = fleet.api.clock.nowMs();
    await pass(90);
    await fleet.restart();
    await passUntil('told', () => told().length === 1);
    expect(fleet.api.clock.nowMs() - leftAtMs).toBeLessThan(130_000);
    await fleet.restart();
    await pass(60);
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
    fleet.http.silentAt = '/dead';
    const { database } = fleet.api.store();
    const row = { alertId: 'x', channelId: dead.id, event: 'opened', document: '{"event":"opened","alert":{}}', attempts: 0 };
    const times = { createdAtMs: fleet.api.clock.nowMs(), nextAttemptAtMs: 0 };
    const rows = Array.from({ length: 300 }, (_, index) => ({ ...row, ...times, id: `n${index}` }));
    await database.insertInto('alertNotices').values(rows).execute();
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [team.id] });
    await deviceThatWent();
    const paths = () => fleet.http.notices.map(({ path }) => path);
    await passUntil('told', () => paths().includes('/team'));
    expect(paths().filter((path) => path === '/dead')).toHaveLength(5);
    await database.deleteFrom('alertNotices').where('attempts', '=', 0).execute();
    fleet.http.cut();
  });
});

describe('an alert that is over without a recovery', () => {
  const removeDevice = async () => {
    const [alert] = await alerts();
    await fleet.api.request({ method: 'DELETE', url: `/api/v1/devices/${alert?.deviceId}` });
  };
  const blockDevice = async () => {
    const [alert] = await alerts();
    await fleet.api.request({ method: 'POST', url: `/api/v1/devices/${alert?.deviceId}/access`, payload: { decision: 'block' } });
  };
  const changeRule = async (change: Partial<AlertRule>) => {
    const [rule] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    const { id, ...request } = rule as AlertRule;
    await fleet.api.request({ method: 'PUT', url: `/api/v1/alert-rules/${id}`, payload: { ...request, ...change } });
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
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [id] });
    await deviceThatWent();
    await passUntil('told', () => fleet.http.notices.length === 1);
    await end();
    await passUntil('told that it is over', () => fleet.http.notices.length === 2);
    expect(notices()[1]).toMatchObject({ event: 'resolved', reason });
  });
});
