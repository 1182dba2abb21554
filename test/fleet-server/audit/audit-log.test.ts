import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuditLog, type AuditLogOptions, shownMany } from '#fleet-server/audit/audit-log.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import { type ApiUnderTest, adminPassword, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const log = async (query = ''): Promise<AuditPage> =>
  (await api.request({ method: 'GET', url: `/api/v1/audit-log${query}` })).json<AuditPage>();
const said = ({ entries }: AuditPage) =>
  entries.map(({ actor, action, subject, changes }) =>
    [`${actor}: ${action} ${subject}`, ...changes.map(({ field, before, after }) => `${field} ${before} > ${after}`)].join(', '),
  );

test('tells who changed what from what to what, newest first, with secrets masked', async () => {
  const ada = await api.addPerson('ada', 'operator');
  const { deviceId } = await api.join({ name: 'pi', group: 'hall' });
  const patch = (url: string, payload: object) => api.request({ method: 'PATCH', url: `/api/v1/${url}`, payload, as: ada });
  await patch(`devices/${deviceId}`, { name: 'stage', group: null });
  await patch(`devices/${deviceId}`, { name: 'stage' });
  await patch('fleet/settings', { AV_VIDEO_BITRATE: 1000 });
  await patch('fleet/settings', { AV_VIDEO_BITRATE: 1000 });
  await patch(`devices/${deviceId}/settings`, { AV_STREAM_KEY: 'geheim-1', AV_DISABLE_AUDIO: true });
  await patch(`devices/${deviceId}/settings`, { AV_STREAM_KEY: 'geheim-2', AV_DISABLE_AUDIO: null });
  await api.request({ method: 'POST', url: `/api/v1/devices/${deviceId}/commands`, payload: { kind: 'restart-pipeline' }, as: ada });
  await api.request({ method: 'DELETE', url: `/api/v1/devices/${deviceId}` });
  const page = await log();
  expect(said(page).slice(0, 7)).toEqual([
    `admin: device-removed ${deviceId}, name stage > null`,
    `ada: command-requested ${deviceId}, command null > restart-pipeline`,
    `ada: settings-changed ${deviceId}, AV_STREAM_KEY (secret) > (secret), AV_DISABLE_AUDIO true > null`,
    `ada: settings-changed ${deviceId}, AV_STREAM_KEY null > (secret), AV_DISABLE_AUDIO null > true`,
    'ada: settings-changed fleet, AV_VIDEO_BITRATE null > 1000',
    `ada: device-changed ${deviceId}, name pi > stage, group hall > null`,
    expect.stringMatching(new RegExp(`^the join token [0-9a-f-]{36}: device-joined ${deviceId}, name null > pi, group null > hall$`)),
  ]);
  const rows = await api.store().database.selectFrom('auditLog').selectAll().execute();
  expect(JSON.stringify([page, rows])).not.toContain('geheim');
});

test('holds people, their passwords and tokens, and refused sign-ins of names that exist', async () => {
  await api.request({ method: 'POST', url: '/api/v1/people', payload: { name: 'ada', role: 'viewer', password: 'first password' } });
  await api.request({ method: 'PATCH', url: '/api/v1/people/ada', payload: { role: 'operator', password: 'second password' } });
  await expect(api.signIn('ada', 'first password')).rejects.toThrow();
  await expect(api.signIn('nobody', 'x')).rejects.toThrow();
  const ada = await api.signIn('ada', 'second password');
  const payload = { name: 'ci', scopes: ['read'], expiresInS: 60 };
  const { id } = (await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload, as: ada })).json<{ id: string }>();
  await api.request({ method: 'DELETE', url: `/api/v1/access-tokens/${id}` });
  const page = await log();
  expect(said(page).slice(0, 8)).toEqual([
    'admin: token-removed ci',
    'ada: token-made ci, scopes null > read, expiresAt null > 2026-11-21T12:01:00.000Z',
    'ada: signed-in ada',
    'ada: sign-in-refused ada',
    'admin: password-changed ada',
    'admin: person-changed ada, role viewer > operator',
    'admin: person-added ada, role null > viewer',
    'admin: signed-in admin',
  ]);
  expect(JSON.stringify(page)).not.toMatch(/first password|second password|nobody/);
});

test('names the token that a program used', async () => {
  const { deviceId } = await api.join();
  const payload = { name: 'night job', scopes: ['commands'], expiresInS: 60 };
  const { token } = (await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload })).json<{ token: string }>();
  const headers = { authorization: `Bearer ${token}` };
  await api.app.inject({ method: 'POST', url: `/api/v1/devices/${deviceId}/commands`, payload: { kind: 'restart-pipeline' }, headers });
  expect(said(await log())[0]).toBe(`admin with the token night job: command-requested ${deviceId}, command null > restart-pipeline`);
});

test('is read a page at a time, about one thing if asked, by admins alone', async () => {
  for (const bitrate of [1000, 2000, 3000]) {
    await api.request({ method: 'PATCH', url: '/api/v1/groups/hall/settings', payload: { AV_VIDEO_BITRATE: bitrate } });
  }
  const first = await log('?subject=hall&limit=2');
  const second = await log(`?subject=hall&limit=2&before=${first.next}`);
  expect([...said(first), ...said(second)]).toEqual([
    'admin: settings-changed hall, AV_VIDEO_BITRATE 2000 > 3000',
    'admin: settings-changed hall, AV_VIDEO_BITRATE 1000 > 2000',
    'admin: settings-changed hall, AV_VIDEO_BITRATE null > 1000',
  ]);
  expect(second.next).toBeNull();
  const operator = await api.addPerson('ada', 'operator');
  expect((await api.request({ method: 'GET', url: '/api/v1/audit-log', as: operator })).statusCode).toBe(403);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('is not changed through the API: %s', async (method) => {
  await api.signIn('admin', adminPassword);
  for (const url of ['/api/v1/audit-log', '/api/v1/audit-log/1']) expect((await api.request({ method, url })).statusCode).toBe(404);
});

test('a change that does not come about leaves no entry', async () => {
  await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_BITRATE: 1000, AV_VIDEO_WIDTH: -1 } });
  expect(said(await log()).some((line) => line.includes('settings-changed'))).toBe(false);
});

test('is looked through by who, what, to what by its name, and when', async () => {
  const ada = await api.addPerson('ada', 'operator');
  const { deviceId } = await api.join({ name: 'Main Hall' });
  await api.clock.advance(60_000);
  await api.request({ method: 'PATCH', url: `/api/v1/devices/${deviceId}`, payload: { group: 'hall' }, as: ada });
  await api.clock.advance(60_000);
  await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_BITRATE: 1000 }, as: ada });
  const actions = async (query: string) => (await log(`?${query}`)).entries.map(({ action }) => action);
  expect(await actions('actor=ada')).toEqual(['settings-changed', 'device-changed', 'signed-in']);
  expect(await actions('actor=ada&action=settings-changed')).toEqual(['settings-changed']);
  expect(await actions('subject=main%20hall')).toEqual(['device-changed', 'device-joined']);
  expect(await actions('actor=ada&from=2026-11-21T12:01:00Z&to=2026-11-21T12:02:00Z')).toEqual(['device-changed']);
  expect((await log('?action=device-changed')).entries[0]).toMatchObject({ subject: deviceId, subjectName: 'Main Hall' });
  expect((await log('?action=settings-changed')).entries[0]?.subjectName).toBeNull();
});

test.each(['from=yesterday', 'from=2026-13-01T00:00:00Z', 'from=2026-11-21T12:00:00Z&to=2026-11-21T12:00:00Z', 'action=%25', 'before=0'])(
  '%s is refused',
  async (query) => {
    expect((await api.request({ method: 'GET', url: `/api/v1/audit-log?${query}` })).statusCode).toBe(400);
  },
);

test('who is called like the beginning of another’s name is not taken for them', async () => {
  const payload = { name: 'job', scopes: ['devices'], expiresInS: 60 };
  const { token } = (await api.request({ method: 'POST', url: '/api/v1/access-tokens', payload })).json<{ token: string }>();
  const { deviceId } = await api.join();
  const headers = { authorization: `Bearer ${token}` };
  await api.app.inject({ method: 'PATCH', url: `/api/v1/devices/${deviceId}`, payload: { name: 'new' }, headers });
  expect((await log('?actor=admin&action=device-changed')).entries).toHaveLength(1);
  expect((await log('?actor=adm')).entries).toEqual([]);
  expect((await log('?actor=admi_')).entries).toEqual([]);
});

test('says with what a command was asked for, and whom of several devices', async () => {
  const devices = [await api.join({ name: 'one', group: 'hall' }), await api.join({ name: 'two', group: 'hall' })];
  const ids = devices.map(({ deviceId }) => deviceId).toSorted();
  const [first = ''] = ids;
  const post = async (url: string, payload: object) => (await api.request({ method: 'POST', url: `/api/v1/${url}`, payload })).json();
  await post(`devices/${first}/commands`, { kind: 'identify', arguments: { durationS: 5 } });
  await post(`devices/${first}/commands`, { kind: 'rotate-credential' });
  const { id: batch } = (await post('commands', { kind: 'restart-pipeline', group: 'hall' })) as { id: string };
  await post('devices/tagging', { deviceIds: ids, add: ['stage'], remove: [] });
  const page = await log();
  expect(said(page).slice(0, 4)).toEqual([
    `admin: devices-tagged 2 devices, tags added null > stage, devices null > ${ids.join(', ')}`,
    `admin: command-requested 2 devices of the group hall, command null > restart-pipeline, batch null > ${batch}, devices null > ${ids.join(', ')}`,
    `admin: command-requested ${first}, command null > rotate-credential`,
    `admin: command-requested ${first}, command null > identify, arguments null > {"durationS":5}`,
  ]);
});

test('of many names it says how many more there are', () => {
  const ids = Array.from({ length: 300 }, (_, index) => `d-${String(index).padStart(10, '0')}`);
  const text = shownMany(ids);
  expect(text.length).toBeLessThanOrEqual(2000);
  const [, more] = / and (\d+) more$/.exec(text) ?? [];
  expect(text.split(', ').length + Number(more)).toBe(300);
  expect(shownMany(['b', 'a'])).toBe('a, b');
});

describe('what is kept', () => {
  const warnings: string[] = [];
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const fill = async (count: number, policy: NonNullable<AuditLogOptions['policy']>): Promise<AuditLog> => {
    warnings.length = 0;
    // Whoever looks has signed in: that is an entry, too.
    await kept();
    const audit = new AuditLog({ clock: api.clock, policy, log: { ...quiet, error: (_fields, message) => warnings.push(message) } });
    for (let number = 0; number < count; number += 1) {
      await audit.append(api.store().database, { actor: 'ada', action: 'settings-changed', subject: `s-${number}` });
      api.clock.jump(1000);
    }
    return audit;
  };
  const kept = async () => (await log('?actor=ada&limit=500')).entries.map(({ subject }) => Number(subject.slice(2))).toReversed();

  test('is what is young enough, and the newest whatever their age; and nothing is said of it', async () => {
    const audit = await fill(40, { keptMs: 10_000, leastKept: 4, mostKept: 1000, pruneEvery: 1 });
    expect(await kept()).toEqual([29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
    api.clock.jump(3_600_000);
    await audit.append(api.store().database, { actor: 'ada', action: 'settings-changed', subject: 's-40' });
    expect(await kept()).toEqual([37, 38, 39, 40]);
    expect([audit.dropped, warnings]).toEqual([0, []]);
  });

  test('is bounded, and when that drops what is young the log says so, and so does an entry', async () => {
    const audit = await fill(40, { keptMs: 86_400_000, leastKept: 4, mostKept: 20, pruneEvery: 5 });
    const left = await kept();
    expect(left.length).toBeGreaterThanOrEqual(19);
    expect(left.length).toBeLessThanOrEqual(25);
    expect(left.at(-1)).toBe(39);
    expect(audit.dropped).toBeGreaterThan(10);
    expect(warnings).toEqual(['the audit log holds all that it may: entries younger than a year are dropped, the oldest first']);
    const [entry] = (await log('?actor=the%20fleet%20server')).entries;
    expect(entry).toMatchObject({ action: 'audit-log-shortened', changes: [{ field: 'most entries', before: null, after: '20' }] });
  });

  test('is no more of an entry than has room: the fields that have none are named', async () => {
    const changes = Array.from({ length: 12 }, (_, index) => ({ field: `f${index}`, before: null, after: 'x'.repeat(3000) }));
    const audit = new AuditLog({ clock: api.clock, log: null });
    await audit.append(api.store().database, { actor: 'ada', action: 'settings-changed', subject: 'long', changes });
    const [entry] = (await log('?actor=ada')).entries;
    expect(entry?.changes.map(({ field, after }) => [field, after?.length])).toEqual([
      ...['f0', 'f1', 'f2', 'f3'].map((field) => [field, 2000]),
      ['too long to be kept', 'f10, f11, f4, f5, f6, f7, f8, f9'.length],
    ]);
  });
});
