import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import '#fleet-server/maintenance/plugin.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { AlertRule, AlertRuleRequest } from '#protocol/model/alert.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { Change } from '#protocol/model/change.ts';
import type { DeviceDetail, GroupList } from '#protocol/model/device.ts';
import type { JoinToken, JoinTokenList } from '#protocol/model/enrolment.ts';
import type { MaintenanceWindowList } from '#protocol/model/maintenance.ts';
import type { RolloutDetail } from '#protocol/model/rollout.ts';
import type { LevelSettings, RevisionPage } from '#protocol/model/settings.ts';
import type { WatchdogPolicyAnswer } from '#protocol/model/watchdog.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
const request = (method: Method, url: string, payload?: object, as?: string | null) =>
  api.request({ method, url: `/api/v1/${url}`, ...(payload === undefined ? {} : { payload }), ...(as === undefined ? {} : { as }) });
async function ask<T>(method: Method, url: string, payload?: object): Promise<T> {
  const answer = await request(method, url, payload);
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.body}`);
  return answer.json<T>();
}
const rename = (from: string, to: string) => request('PATCH', `groups/${from}`, { name: to });
const groupOf = async (id: string) => (await ask<DeviceDetail>('GET', `devices/${id}`)).group;
const groups = async () => (await ask<GroupList>('GET', 'groups')).groups.map(({ name }) => name);
const keysOf = async (group: string) => (await ask<LevelSettings>('GET', `groups/${group}/settings`)).settings.map(({ key }) => key);
const revisionsOf = async (group: string) => (await ask<RevisionPage>('GET', `groups/${group}/settings/revisions`)).revisions;

async function aDevice(name: string, group: string): Promise<DeviceVoice> {
  const voice = api.voice((await api.join({ name, group })).deviceId);
  voice.connect();
  await voice.say('presence', bodies.online);
  await voice.say('hello', bodies.hello());
  return voice;
}

/** Says that what it was last sent is in force. */
async function confirm(voice: DeviceVoice): Promise<void> {
  const { revision = 1 } = api.lastDesired(voice.id) ?? {};
  await voice.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
}

/** Devices whose desired document is another than the store would make now. */
const behind = () =>
  inTransaction(api.store().database, (transaction) => api.app.settings.refresh(transaction, { level: 'fleet', scope: '' }));

const ruleOf = (group: string): AlertRuleRequest => ({
  ...{ name: `${group} is away`, trigger: { kind: 'offline' }, forS: 60, severity: 'critical', group },
  ...{ enabled: true, channelIds: [], quietHours: null, escalation: null },
});
const weekly = { kind: 'weekly', days: ['mon'], from: '08:00', to: '09:00', timeZone: 'Europe/Berlin' } as const;
const windowOf = (group: string) => ({ scope: { kind: 'group', name: group }, schedule: weekly, reason: 'the floor is cleaned' });
const around = (leftMs: number) => {
  const at = (ms: number) => new Date(api.clock.nowMs() + ms).toISOString();
  return { kind: 'once', from: at(-60_000), to: at(leftMs) } as const;
};
const rolloutOf = (group: string, patch: object) => ({ scope: { kind: 'group', name: group }, patch, plan: { kind: 'all-at-once' } });

describe('what is kept under the name of a group goes with it:', () => {
  test('settings, revisions, roll-outs, windows, rules, tokens and the policy, and nothing is left or sent', async () => {
    const one = await aDevice('one', 'hall');
    const two = await aDevice('two', 'hall');
    await ask('PATCH', 'groups/hall/settings?comment=first', { AV_VIDEO_BITRATE: 900, AV_STREAM_KEY: 'the-key-of-the-group' });
    await ask('PATCH', 'groups/hall/settings', { AV_VIDEO_BITRATE: 800 });
    await ask('POST', 'groups/hall/settings/revisions/2/undo', {});
    for (const voice of [one, two]) await confirm(voice);
    const over = await ask<RolloutDetail>('POST', 'rollouts', rolloutOf('hall', { AV_KEYFRAME_INTERVAL: 4 }));
    for (const voice of [one, two]) await confirm(voice);
    await api.clock.advance(2000);
    const running = await ask<RolloutDetail>('POST', 'rollouts', rolloutOf('hall', { AV_VIDEO_WIDTH: 640 }));
    const { policy } = await ask<WatchdogPolicyAnswer>('GET', 'fleet/watchdog-policy');
    await ask('PUT', 'groups/hall/watchdog-policy', { ...policy, maxPauseS: policy.maxPauseS + 1 });
    await ask('POST', 'maintenance-windows', windowOf('hall'));
    await ask('POST', 'maintenance-windows', { ...windowOf('hall'), schedule: around(3_600_000) });
    const rule = await ask<AlertRule>('POST', 'alert-rules', ruleOf('hall'));
    const { token = '' } = await ask<JoinToken>('POST', 'join-tokens', { group: 'hall', uses: 2 });

    const sent = api.published.length;
    const before = await Promise.all([one, two].map(({ id }) => ask<DeviceDetail>('GET', `devices/${id}`)));
    const heard: Change[] = [];
    const inWindow: boolean[] = [];
    api.app.changes.subscribe(({ change }) => {
      heard.push(change);
      const live = api.app.devices.get(change.deviceId ?? '');
      if (live !== undefined) inWindow.push(api.app.maintenance.of(live.id, live.group) !== null);
    });
    expect((await rename('hall', 'stage-1')).json()).toEqual({ name: 'stage-1', deviceCount: 2 });

    expect(await groups()).toEqual(['stage-1']);
    expect(await keysOf('stage-1')).toEqual(['AV_KEYFRAME_INTERVAL', 'AV_STREAM_KEY', 'AV_VIDEO_BITRATE']);
    const revisions = await revisionsOf('stage-1');
    expect(revisions.map(({ number, undoes, comment }) => [number, undoes, comment?.split(' ', 1)[0] ?? null])).toEqual([
      [4, null, 'Roll-out'],
      [3, 2, null],
      [2, null, null],
      [1, null, 'first'],
    ]);
    for (const { id, state } of [await ask<RolloutDetail>('GET', `rollouts/${over.id}`), running]) {
      expect(await ask<RolloutDetail>('GET', `rollouts/${id}`)).toMatchObject({ scope: { kind: 'group', name: 'stage-1' }, state });
    }
    const { windows } = await ask<MaintenanceWindowList>('GET', 'maintenance-windows');
    expect(windows.map(({ scope }) => scope)).toEqual(Array(2).fill({ kind: 'group', name: 'stage-1' }));
    const { rules } = await ask<{ rules: AlertRule[] }>('GET', 'alert-rules');
    expect(rules.find(({ id }) => id === rule.id)).toEqual({ ...rule, group: 'stage-1' });
    const { joinTokens } = await ask<JoinTokenList>('GET', 'join-tokens');
    expect(joinTokens.find(({ usesLeft }) => usesLeft === 2)?.group).toBe('stage-1');
    expect(await ask<WatchdogPolicyAnswer>('GET', 'groups/stage-1/watchdog-policy')).toMatchObject({ level: 'group' });
    expect(api.app.watchdogPolicies.of('stage-1').maxPauseS).toBe(policy.maxPauseS + 1);
    expect(api.app.watchdogPolicies.of('hall').maxPauseS).toBe(policy.maxPauseS);

    // Nothing was sent, and nothing would be: what is in force stays.
    expect([api.published.length, await behind()]).toEqual([sent, []]);
    const after = await Promise.all([one, two].map(({ id }) => ask<DeviceDetail>('GET', `devices/${id}`)));
    expect(after.map(({ settings }) => settings)).toEqual(before.map(({ settings }) => settings));
    expect(after.map(({ group, maintenance }) => [group, maintenance === null])).toEqual(Array(2).fill(['stage-1', false]));
    expect([inWindow.length >= 2, inWindow.includes(false)]).toEqual([true, false]);
    const subjects = heard.map(({ subject }) => subject);
    for (const subject of [
      'groups',
      'fleet-settings',
      'rollouts',
      'maintenance',
      'watchdog-policy',
      'alerts',
      'join-tokens',
      'device',
    ] as const) {
      expect(subjects).toContain(subject);
    }
    const [entry] = (await ask<AuditPage>('GET', 'audit-log?action=group-renamed')).entries;
    expect(entry).toMatchObject({
      subject: 'hall',
      changes: [
        { field: 'name', before: 'hall', after: 'stage-1' },
        { field: 'devices', before: null, after: [one.id, two.id].toSorted().join(', ') },
      ],
    });
    await nothingIsCalled('hall');

    // What was under way goes on, what is over can be taken back, and who joins with the token of before is among them.
    for (const voice of [one, two]) await confirm(voice);
    await api.clock.advance(2000);
    expect((await ask<RolloutDetail>('GET', `rollouts/${running.id}`)).state).toBe('completed');
    expect(await keysOf('stage-1')).toContain('AV_VIDEO_WIDTH');
    expect((await ask<RolloutDetail>('POST', `rollouts/${over.id}/roll-back`)).state).toBe('rolled-back');
    expect(await keysOf('stage-1')).not.toContain('AV_KEYFRAME_INTERVAL');
    const { deviceId } = await ask<{ deviceId: string }>('POST', 'enrolments', { joinToken: token, name: 'late' });
    expect([await groupOf(deviceId), await groups()]).toEqual(['stage-1', ['stage-1']]);
    await ask('POST', 'groups/stage-1/settings/revisions/1/undo', { override: true });
    expect([await keysOf('stage-1'), await behind()]).toEqual([['AV_VIDEO_WIDTH'], []]);
    expect(api.logText()).not.toContain('the-key-of-the-group');
  });

  test('the revisions of a group that once had the new name stay, as the older ones', async () => {
    const voice = await aDevice('one', 'hall');
    await ask('PATCH', 'groups/stage/settings', { AV_VIDEO_WIDTH: 320 });
    await ask('PATCH', 'groups/stage/settings', { AV_VIDEO_WIDTH: null });
    await ask('PATCH', 'groups/hall/settings', { AV_VIDEO_BITRATE: 800 });
    await ask('POST', 'groups/hall/settings/revisions/1/undo', {});
    await confirm(voice);
    const { id } = await ask<RolloutDetail>('POST', 'rollouts', rolloutOf('hall', { AV_VIDEO_BITRATE: 700 }));
    await confirm(voice);
    await api.clock.advance(2000);
    expect((await ask<RolloutDetail>('GET', `rollouts/${id}`)).revision).toBe(3);
    expect((await rename('hall', 'stage')).statusCode).toBe(200);
    expect((await revisionsOf('stage')).map(({ number, undoes, changes }) => [number, undoes, changes[0]?.key])).toEqual([
      [5, null, 'AV_VIDEO_BITRATE'],
      [4, 3, 'AV_VIDEO_BITRATE'],
      [3, null, 'AV_VIDEO_BITRATE'],
      [2, null, 'AV_VIDEO_WIDTH'],
      [1, null, 'AV_VIDEO_WIDTH'],
    ]);
    expect((await ask<RolloutDetail>('POST', `rollouts/${id}/roll-back`)).state).toBe('rolled-back');
    expect(await keysOf('stage')).toEqual([]);
    expect((await rename('stage', 'hall')).statusCode).toBe(200);
    expect((await revisionsOf('hall')).map(({ number }) => number)).toEqual([6, 5, 4, 3, 2, 1]);
  });
});

/** In no column of any table, but where it is told what once was. */
async function nothingIsCalled(name: string): Promise<void> {
  const { database } = api.store();
  const word = new RegExp(`(?<![a-z0-9-])${name}(?![a-z0-9-])`);
  const found: string[] = [];
  for (const { name: table } of await database.introspection.getTables()) {
    const rows = await database
      .selectFrom(table as 'devices')
      .selectAll()
      .execute();
    for (const row of rows) if (word.test(JSON.stringify(row))) found.push(table);
  }
  expect([...new Set(found)].filter((table) => table !== 'alertRules')).toEqual(['auditLog']);
  const rules = await database.selectFrom('alertRules').select('document').execute();
  // What somebody called a rule stays.
  expect(rules.filter(({ document }) => word.test(document.replace(`"name":"${name} is away"`, '')))).toEqual([]);
}

describe('a name is refused, and nothing is changed,', () => {
  const inTheWay: readonly (readonly [what: string, make: (group: string) => Promise<unknown>])[] = [
    ['1 device', (group) => api.join({ name: 'there', group })],
    ['2 settings', (group) => ask('PATCH', `groups/${group}/settings`, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 })],
    ['1 maintenance window', (group) => ask('POST', 'maintenance-windows', windowOf(group))],
    ['1 alert rule', (group) => ask('POST', 'alert-rules', ruleOf(group))],
    ['1 join token', (group) => ask('POST', 'join-tokens', { group })],
    [
      '1 policy of the watchdog',
      async (group) => {
        const { policy } = await ask<WatchdogPolicyAnswer>('GET', 'fleet/watchdog-policy');
        return ask('PUT', `groups/${group}/watchdog-policy`, policy);
      },
    ],
    [
      '1 roll-out under way',
      async (group) => {
        await aDevice('there', group);
        return ask('POST', 'rollouts', rolloutOf(group, { AV_VIDEO_WIDTH: 640 }));
      },
    ],
  ];
  test('where anything stands under it; that makes a group that can be renamed itself', async () => {
    const { deviceId } = await api.join({ name: 'one', group: 'hall' });
    for (const [index, [what, make]] of inTheWay.entries()) {
      const [taken, free] = [`stage-${index}`, `foyer-${index}`];
      await make(taken);
      const answer = await rename('hall', taken);
      expect([answer.statusCode, answer.json<{ code: string }>().code], what).toEqual([409, 'already-there']);
      expect(answer.json<{ message: string }>().message).toContain(what);
      expect(await groupOf(deviceId)).toBe('hall');
      expect((await rename(taken, free)).statusCode, what).toBe(200);
      expect((await rename(free, taken)).statusCode, what).toBe(200);
    }
    expect((await rename('hall', 'foyer-0')).statusCode).toBe(200);
    expect(await groupOf(deviceId)).toBe('foyer-0');
  });

  test('and not where all is over or used up', async () => {
    const { deviceId: gone } = await api.join({ name: 'gone', group: 'stage' });
    await ask('POST', 'maintenance-windows', { ...windowOf('stage'), schedule: around(2000) });
    await api.clock.advance(3000);
    const { deviceId } = await api.join({ name: 'one', group: 'hall' });
    await request('DELETE', `devices/${gone}`);
    expect((await rename('hall', 'stage')).statusCode).toBe(200);
    expect(await groupOf(deviceId)).toBe('stage');
  });
});

describe('is refused', () => {
  test('what is no name, no group, or the name that it has', async () => {
    await api.join({ name: 'one', group: 'hall' });
    for (const to of ['', 'Hall', 'a b', '../x', 'bühne', '-x', '%00', "x';--", 'x'.repeat(41), 'hall']) {
      expect((await rename('hall', to)).statusCode, to).toBe(400);
    }
    expect((await request('PATCH', 'groups/hall', {})).statusCode).toBe(400);
    expect((await request('PATCH', 'groups/hall', { name: 'stage', group: 'x' })).statusCode).toBe(400);
    expect((await request('PATCH', `groups/${encodeURIComponent('../hall')}`, { name: 'stage' })).statusCode).toBe(400);
    expect((await rename('nowhere', 'stage')).statusCode).toBe(404);
    expect(await groups()).toEqual(['hall']);
    // The longest name, and one like a number.
    for (const [from, to] of [
      ['hall', 'x'.repeat(40)],
      ['x'.repeat(40), '0'],
    ] as const)
      expect((await rename(from, to)).statusCode).toBe(200);
    expect(await groups()).toEqual(['0']);
  });

  test('who is no admin, and a foreign page', async () => {
    await api.join({ name: 'one', group: 'hall' });
    for (const role of ['viewer', 'operator'] as const) {
      expect((await request('PATCH', 'groups/hall', { name: 'stage' }, await api.addPerson(role, role))).statusCode).toBe(403);
    }
    expect((await request('PATCH', 'groups/hall', { name: 'stage' }, null)).statusCode).toBe(401);
    const headers = { origin: 'https://elsewhere.example' };
    expect((await api.request({ method: 'PATCH', url: '/api/v1/groups/hall', payload: { name: 'stage' }, headers })).statusCode).toBe(403);
    expect(await groups()).toEqual(['hall']);
  });
});

test('of what happens at once one is before the other: no device and no setting is between two names', async () => {
  const [one, two] = [await aDevice('one', 'hall'), await aDevice('two', 'foyer')];
  for (let round = 0; round < 5; round += 1) {
    const [from, other, to] = [`hall-${round}`, `foyer-${round}`, `stage-${round}`];
    await ask('POST', 'devices/grouping', { deviceIds: [one.id], group: from });
    await ask('POST', 'devices/grouping', { deviceIds: [two.id], group: other });
    await ask('PATCH', `groups/${from}/settings`, { AV_VIDEO_BITRATE: 600 });
    const { token = '' } = await ask<JoinToken>('POST', 'join-tokens', { group: from });
    const answers = await Promise.all([
      rename(from, to),
      rename(other, to),
      request('PATCH', `groups/${from}/settings`, { AV_VIDEO_BITRATE: 700 + round }),
      request('POST', 'enrolments', { joinToken: token, name: `late ${round}` }),
      request('POST', 'rollouts', rolloutOf(from, { AV_VIDEO_WIDTH: 320 + 2 * round })),
      request('POST', 'devices/grouping', { deviceIds: [one.id], group: 'yard' }),
    ]);
    expect(answers.map(({ statusCode }) => statusCode).filter((code) => code >= 500)).toEqual([]);
    // One of the two has the name.
    expect([answers[0], answers[1]].map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
    expect([await behind(), await groupOf(one.id)]).toEqual([[], 'yard']);
    const stored = await api.store().database.selectFrom('devices').select(['id', 'groupName']).execute();
    expect(stored.map(({ id }) => api.app.devices.get(id)?.group)).toEqual(stored.map(({ groupName }) => groupName));
    const { deviceId } = answers[3].json<{ deviceId: string }>();
    expect(await groupOf(deviceId)).toBe(answers[0].statusCode === 200 ? to : from);
  }
});
