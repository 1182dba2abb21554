/** What quiet hours hold back, and when it is told. */
import { describe, expect, test } from 'vitest';
import type { AlertRule } from '#protocol/model/alert.ts';
import { bodies } from '../api-under-test.ts';
import { alertsUnderTest, basicRule } from './alerts-under-test.ts';

const fleet = alertsUnderTest();
const { call, alerts, told, events, pass, passUntil, webhook, removeFirstRules, deviceThatWent } = fleet;

test('an alert in quiet hours is told at their end, and not at all when it is over by then', async () => {
  await removeFirstRules();
  const channel = await webhook();
  // The clock of the tests stands at 12:00 UTC.
  await call('POST', '/alert-rules', {
    ...basicRule,
    channelIds: [channel.id],
    quietHours: { from: '11:00', to: '12:02', timeZone: 'UTC' },
  });
  const voice = await deviceThatWent({ name: 'short' });
  await deviceThatWent();
  await pass(40);
  expect(await alerts('?resolved=false')).toHaveLength(2);
  voice.connect();
  await voice.say('hello', bodies.hello());
  await passUntil('told', () => told().length > 0);
  expect(told()).toEqual(['opened: stage is offline']);
  expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
});

describe('quiet hours that begin or end while something is wrong', () => {
  test('nobody is asked why nobody acknowledged what nobody was told yet', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    const quietHours = { from: '11:00', to: '12:02', timeZone: 'UTC' };
    await call('POST', '/alert-rules', {
      ...basicRule,
      channelIds: [team.id],
      quietHours,
      escalation: { afterS: 60, channelIds: [boss.id] },
    });
    await deviceThatWent();
    await passUntil('told', () => fleet.http.notices.length > 0);
    expect(events()).toEqual(['/team opened']);
    expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
    await passUntil('escalated', () => fleet.http.notices.length > 1);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:03:00Z'));
  });

  test.each([
    ['taken away', null, '12:00'],
    ['shortened', { from: '11:00', to: '12:02', timeZone: 'UTC' }, '12:02'],
  ])('what is held is told when they are %s, and so is what was refused before them', async (_what, quietHours, from) => {
    await removeFirstRules();
    const channel = await webhook();
    const rule = (to: string) => ({ ...basicRule, channelIds: [channel.id], quietHours: { from: '12:00', to, timeZone: 'UTC' } });
    const { id } = await call<AlertRule>('POST', '/alert-rules', { ...rule('12:00'), quietHours: null });
    fleet.http.status = 503;
    await deviceThatWent();
    await passUntil('refused', () => fleet.http.notices.length > 0);
    fleet.http.status = 200;
    await call('PUT', `/alert-rules/${id}`, rule('15:00'));
    await deviceThatWent({ name: 'second' });
    const before = fleet.http.notices.length;
    await pass(25);
    expect(fleet.http.notices).toHaveLength(before);
    await call('PUT', `/alert-rules/${id}`, { ...rule('15:00'), quietHours });
    await passUntil('both told', () => fleet.http.notices.length === before + 2);
    const nowMs = fleet.api.clock.nowMs();
    expect(nowMs).toBeLessThan(Date.parse('2026-11-21T12:02:05Z'));
    expect(nowMs).toBeGreaterThanOrEqual(Date.parse(`2026-11-21T${from}:00Z`));
  });

  test('what was refused before they began is tried again at their end', async () => {
    await removeFirstRules();
    const channel = await webhook();
    const quietHours = { from: '12:01', to: '12:04', timeZone: 'UTC' };
    await call('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id], quietHours });
    fleet.http.status = 503;
    await deviceThatWent();
    await passUntil('tried', () => fleet.http.notices.length > 0);
    const waits = async () => {
      const rows = await fleet.api.store().database.selectFrom('alertNotices').select(['attempts', 'nextAttemptAtMs']).execute();
      return rows.some(({ attempts, nextAttemptAtMs }) => attempts > 0 && nextAttemptAtMs === Date.parse('2026-11-21T12:04:00Z'));
    };
    await passUntil('it to wait for the end of the quiet hours', waits);
    const before = fleet.http.notices.length;
    fleet.http.status = 200;
    await passUntil('told', () => fleet.http.notices.length > before);
    expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:04:00Z'));
  });

  test('what is due within them is told at their end; who was not told of the trouble is not told that it is over', async () => {
    await removeFirstRules();
    const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
    const quietHours = { from: '12:01', to: '12:02', timeZone: 'UTC' };
    await call('POST', '/alert-rules', {
      ...basicRule,
      channelIds: [team.id],
      quietHours,
      escalation: { afterS: 60, channelIds: [boss.id] },
    });
    const voice = await deviceThatWent({ name: 'stage' });
    await passUntil('told', () => fleet.http.notices.length > 0);
    expect(fleet.api.clock.nowMs()).toBeLessThan(Date.parse('2026-11-21T12:01:00Z'));
    await passUntil('escalated', async () => (await alerts())[0]?.escalatedAt !== null);
    expect(fleet.api.clock.nowMs()).toBeLessThan(Date.parse('2026-11-21T12:02:00Z'));
    voice.connect();
    await voice.say('hello', bodies.hello());
    await passUntil('told that it is over', () => fleet.http.notices.length > 1);
    expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse('2026-11-21T12:02:00Z'));
    await pass(10);
    expect(events()).toEqual(['/team opened', '/team resolved']);
  });
});
