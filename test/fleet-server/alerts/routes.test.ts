/** The rules and the channels of alerts, as who asks for them sees them. */
import { describe, expect, test } from 'vitest';
import type { AlertChannel, AlertRule, AlertRuleList } from '#protocol/model/alert.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import { alertsUnderTest, basicRule } from './alerts-under-test.ts';

const fleet = alertsUnderTest();
const { call, webhook, removeFirstRules } = fleet;

const mail = { kind: 'email', host: 'mail.example.org', port: 465, secure: true, from: 'a@b.org', to: ['c@d.org'], user: 'alerts' };

test('what a rule or a channel was stays in the audit log when it is removed, under its name', async () => {
  const channel = await webhook();
  const rule = await call<AlertRule>('POST', '/alert-rules', { ...basicRule, channelIds: [channel.id] });
  await fleet.api.request({ method: 'DELETE', url: `/api/v1/alert-rules/${rule.id}` });
  await fleet.api.request({ method: 'DELETE', url: `/api/v1/alert-channels/${channel.id}` });
  const { entries } = await call<AuditPage>('GET', '/audit-log');
  const of = (action: string) => entries.find((entry) => entry.action === action);
  expect(of('alert-rule-added')).toMatchObject({ subject: 'away', changes: [{ field: 'rule', before: null }] });
  expect(JSON.parse(of('alert-rule-removed')?.changes[0]?.before ?? '')).toEqual(rule);
  expect(of('alert-channel-removed')).toMatchObject({ subject: 'the team', changes: [{ field: 'target', after: null }] });
  expect(JSON.stringify(entries)).not.toContain('geheim');
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
    await fleet.restart();
    expect((await call<AlertRuleList>('GET', '/alert-rules')).rules).toEqual([]);
  });

  test('a secret goes in and never comes out, and one that is left out stays', async () => {
    const { id, target } = await webhook();
    expect(target).toEqual({ kind: 'webhook', url: `${fleet.url}/…` });
    await call('PUT', `/alert-channels/${id}`, { name: 'other name', target: { kind: 'webhook', url: `${fleet.url}/other` } });
    expect((await fleet.api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` })).statusCode).toBe(204);
    expect(fleet.http.notices[0]?.path).toBe('/other');
    expect(fleet.http.notices[0]?.headers['x-makespacelive-signature']).toMatch(/^sha256=/);
    const kept = await call<AlertChannel>('PUT', `/alert-channels/${id}`, { name: 'third name', target });
    expect(kept).toMatchObject({ name: 'third name', target });
    expect((await fleet.api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` })).statusCode).toBe(204);
    expect(fleet.http.notices[1]?.path).toBe('/other');
    const olderEntry = { field: 'target', before: null, after: '{"kind":"webhook","url":"https://hooks.example/geheim' };
    const row = { atMs: 0, actor: 'admin', action: 'alert-channel-added', subject: 'old', changes: JSON.stringify([olderEntry]) };
    await fleet.api.store().database.insertInto('auditLog').values(row).execute();
    expect(JSON.stringify(await call<object>('GET', '/audit-log?subject=old'))).toContain('https://hooks.example/…');
    expect(JSON.stringify(await call<object>('GET', '/audit-log'))).not.toContain('/other');
    const everything = [
      await call<object>('GET', '/alert-channels'),
      await call<object>('GET', '/audit-log'),
      await fleet.api.store().database.selectFrom('alertChannels').selectAll().execute(),
    ];
    expect(JSON.stringify(everything) + fleet.api.logText()).not.toContain('geheim');
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
        fleet.api.request({ method: 'PUT', url: `/api/v1/alert-channels/${id}`, payload: { name: 'team', target: next } });
      const stored = () => fleet.api.store().database.selectFrom('alertChannels').select('target').where('id', '=', id).execute();
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
    fleet.http.status = 403;
    const response = await fleet.api.request({ method: 'POST', url: `/api/v1/alert-channels/${id}/test` });
    expect(response.statusCode).toBe(502);
    expect(response.json()).toEqual({ code: 'not-told', message: 'The test did not arrive: expected an answer from 200 to 299, got 403.' });
  });

  test.each([
    ['/alert-rules', { ...basicRule, channelIds: ['nobody'] }],
    ['/alert-rules', { ...basicRule, channelIds: [], quietHours: { from: '25:00', to: '07:00', timeZone: 'UTC' } }],
    ['/alert-rules', { ...basicRule, channelIds: [], quietHours: { from: '22:00', to: '07:00', timeZone: 'Mars/Olympus' } }],
    ['/alert-rules', { ...basicRule, channelIds: [], trigger: { kind: 'sunset' } }],
    ['/alert-rules', { ...basicRule, channelIds: [], forS: -1 }],
    ['/alert-channels', { name: 'x', target: { kind: 'webhook', url: 'file:///etc/passwd' } }],
    ['/alert-channels', { name: 'x', target: { kind: 'email', host: 'a b', port: 25, secure: false, from: 'a@b', to: ['c@d'] } }],
    [
      '/alert-channels',
      { name: 'x', target: { kind: 'email', host: 'mail', port: 25, secure: false, from: 'a@b', to: ['c@d\r\nBcc: e@f'] } },
    ],
    ['/alert-channels', { name: '', target: { kind: 'ntfy', url: 'https://ntfy.example.org/topic' } }],
  ])('with wrong fields are refused: %s %o', async (path, payload) => {
    expect((await fleet.api.request({ method: 'POST', url: `/api/v1${path}`, payload })).statusCode).toBe(400);
  });

  test('are an admin’s business; what is wrong now is everybody’s', async () => {
    const viewer = await fleet.api.addPerson('ada', 'viewer');
    const status = async (method: 'GET' | 'POST', path: string) =>
      (await fleet.api.request({ method, url: `/api/v1${path}`, as: viewer, ...(method === 'POST' ? { payload: {} } : {}) })).statusCode;
    expect(await status('GET', '/alerts')).toBe(200);
    expect(await status('GET', '/alert-channels')).toBe(403);
    expect(await status('POST', '/alerts/x/acknowledge')).toBe(403);
    const changed = await call<AlertRule>('POST', '/alert-rules', { ...basicRule, channelIds: [] });
    expect((await call<AlertRule>('PUT', `/alert-rules/${changed.id}`, { ...basicRule, name: 'renamed', channelIds: [] })).name).toBe(
      'renamed',
    );
  });
});
