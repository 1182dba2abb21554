/** Who is told of an alert that nobody acknowledges. */
import { describe, expect, test } from 'vitest';
import type { Alert, AlertChannel, AlertRule, AlertRuleList } from '#protocol/model/alert.ts';
import { bodies } from '../api-under-test.ts';
import { alertsUnderTest, basicRule } from './alerts-under-test.ts';

const fleet = alertsUnderTest();
const { call, alerts, notices, events, pass, passUntil, webhook, removeFirstRules, deviceThatWent } = fleet;

/** The team is told, and after a minute the boss, of a device that is away. */
async function escalating(change: Partial<AlertRule> = {}): Promise<{ readonly rule: AlertRule; readonly boss: AlertChannel }> {
  await removeFirstRules();
  const [team, boss] = [await webhook('team', '/team'), await webhook('boss', '/boss')];
  const escalation = { afterS: 60, channelIds: [boss.id] };
  const rule = await call<AlertRule>('POST', '/alert-rules', { ...basicRule, channelIds: [team.id], escalation, ...change });
  return { rule, boss };
}

test('what nobody acknowledges is told to others, once', async () => {
  await escalating();
  await deviceThatWent();
  await passUntil('escalated', () => fleet.http.notices.length >= 2);
  await pass(120);
  expect(events()).toEqual(['/team opened', '/boss escalated']);
});

test('an alert is told to others after the time that was asked for, though clocks are set and the server starts anew meanwhile', async () => {
  await escalating();
  await deviceThatWent();
  const newest = async () => (await alerts())[0];
  await passUntil('opened', async () => (await newest()) !== undefined);
  let seconds = 0;
  const pass = async (count: number) => {
    for (let second = 0; second < count; second += 1) {
      await fleet.api.clock.advance(1000);
      seconds += 1;
      if ((await newest())?.escalatedAt !== null) return;
    }
  };
  await pass(20);
  fleet.api.clock.set(3_600_000);
  await pass(10);
  await fleet.restart();
  await pass(10);
  fleet.api.clock.set(-7_200_000);
  await fleet.restart();
  expect((await newest())?.escalatedAt).toBeNull();
  await pass(100);
  expect(seconds).toBeGreaterThanOrEqual(60);
  // With each restart up to five seconds that were not written yet, and a look.
  expect(seconds).toBeLessThanOrEqual(60 + 3 * 6);
});

describe('an escalation of what somebody acknowledges meanwhile', () => {
  const toldWhom = () => notices().map(({ path, event, alert }) => `${path} ${event} ${alert.acknowledgedBy}`);
  const acknowledge = async () => call<Alert>('POST', `/alerts/${(await alerts())[0]?.id}/acknowledge`);
  async function comesBack(): Promise<void> {
    const [device] = (await call<{ devices: { id: string }[] }>('GET', '/devices')).devices;
    const voice = fleet.api.voice(device?.id ?? '');
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
    await passUntil('no longer quiet', () => fleet.api.clock.nowMs() > endsMs + 5000);
    expect(toldWhom()).toEqual(['/team opened null']);
    await comesBack();
    await passUntil('told that it is over', () => toldWhom().includes('/team resolved admin'));
    await pass(10);
    expect(toldWhom()).toEqual(['/team opened null', '/team resolved admin']);
  });

  test('says who did where its channel refused it before', async () => {
    await escalating();
    await deviceThatWent();
    await passUntil('told', () => fleet.http.notices.length === 1);
    fleet.http.status = 503;
    await passUntil('refused', () => fleet.http.notices.length === 2);
    await acknowledge();
    fleet.http.status = 200;
    await passUntil('told', () => fleet.http.notices.length === 3);
    expect(toldWhom()).toEqual(['/team opened null', '/boss escalated null', '/boss escalated admin']);
    expect(notices()[2]?.alert.state).toBe('acknowledged');
  });
});

describe('who is told further', () => {
  const newest = async () => (await alerts())[0];
  async function open(change: Partial<AlertRule> = {}) {
    const made = await escalating(change);
    await deviceThatWent();
    await passUntil('told', () => fleet.http.notices.length === 1);
    return made;
  }
  const put = ({ id, ...request }: AlertRule, change: Partial<AlertRule>) =>
    fleet.api.request({ method: 'PUT', url: `/api/v1/alert-rules/${id}`, payload: { ...request, ...change } });

  test('nobody, and it is not said, once the rule has no escalation; one that is added later counts from then on', async () => {
    const { rule } = await open();
    await put(rule, { escalation: null });
    await pass(70);
    expect((await newest())?.escalatedAt).toBeNull();
    await put(rule, {});
    const addedMs = fleet.api.clock.nowMs();
    await passUntil('escalated', () => fleet.http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(fleet.api.clock.nowMs() - addedMs).toBeGreaterThanOrEqual(58_000);
    expect((await newest())?.escalatedAt).not.toBeNull();
  });

  test('is told of what was open before the rule had an escalation', async () => {
    const { rule, boss } = await open({ escalation: null });
    await put(rule, { escalation: { afterS: 60, channelIds: [boss.id] } });
    await passUntil('escalated', () => fleet.http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
  });

  test('nobody, and it is not said, once its only channel is removed; the rule is as it can be written back', async () => {
    const { rule, boss } = await open();
    await fleet.api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${boss.id}` });
    await pass(70);
    expect((await newest())?.escalatedAt).toBeNull();
    const [now] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    expect(now).toEqual({ ...rule, escalation: null });
    await fleet.api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${rule.channelIds[0]}` });
    const [last] = (await call<AlertRuleList>('GET', '/alert-rules')).rules;
    expect(last).toEqual({ ...rule, channelIds: [], escalation: null });
    expect((await put(last as AlertRule, {})).statusCode).toBe(200);
    expect(events()).toEqual(['/team opened']);
  });

  test('nobody while all devices of one alert are in a maintenance window', async () => {
    await escalating();
    for (const name of ['a', 'b', 'c']) await deviceThatWent({ name, group: 'hall' });
    await passUntil('told', () => fleet.http.notices.length === 1);
    const schedule = { kind: 'once', from: '2026-11-21T12:00:00.000Z', to: '2026-11-21T12:03:00.000Z' };
    await call('POST', '/maintenance-windows', { scope: { kind: 'fleet' }, reason: 'the hall is rebuilt', schedule });
    await pass(120);
    expect(events()).toEqual(['/team opened']);
    await passUntil('escalated', () => fleet.http.notices.length === 2);
    expect(events()).toEqual(['/team opened', '/boss escalated']);
    expect(fleet.api.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse(schedule.to));
  });
});
