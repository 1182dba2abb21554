import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '#fleet-server/alerts/digest.ts';
import { tellTarget } from '#fleet-server/alerts/messenger.ts';
import type { AlertNotice, AlertTarget } from '#protocol/model/alert.ts';
import { HttpReceiver, MailReceiver } from './receivers.ts';

const notice: AlertNotice = {
  event: 'opened',
  alert: {
    id: 'an-id',
    ruleName: 'A device is offline',
    severity: 'critical',
    state: 'open',
    title: 'Bühne is offline',
    detail: 'No sign of life from it.',
    deviceId: 'd-0123456789',
    openedAt: '2026-11-21T12:00:00.000Z',
    acknowledgedAt: null,
    acknowledgedBy: null,
    escalatedAt: null,
    resolvedAt: null,
  },
  deviceName: 'Bühne',
  url: 'https://fleet.example.org/devices/d-0123456789',
};

let http: HttpReceiver;
let url: string;
beforeEach(async () => {
  http = new HttpReceiver();
  url = await http.start();
});
afterEach(() => http.stop());

const failure = (telling: Promise<void>) =>
  telling.then(
    () => 'told',
    (cause: unknown) => (cause as Error).message,
  );

describe('a webhook', () => {
  test('gets the notice as JSON, signed, and can tell a repetition', async () => {
    await tellTarget({ kind: 'webhook', url: `${url}/hook`, secret: 'geheim' }, notice);
    const [came] = http.notices;
    expect(JSON.parse(came?.body ?? '')).toEqual(notice);
    expect(came?.headers['x-makespacelive-signature']).toBe(
      `sha256=${createHmac('sha256', 'geheim')
        .update(came?.body ?? '')
        .digest('hex')}`,
    );
    expect(came?.headers['idempotency-key']).toBe('an-id opened');
  });

  test.each([
    [500, 'expected an answer from 200 to 299, got 500'],
    [404, 'expected an answer from 200 to 299, got 404'],
    [302, 'it cannot be reached'],
  ])('that answers with %i has not taken it', async (status, reason) => {
    http.status = status;
    expect(await failure(tellTarget({ kind: 'webhook', url, secret: 'geheim' }, notice))).toBe(reason);
    expect(http.notices).toHaveLength(1);
  });

  test('that is not there: the reason is told, and not the address, which may hold a token', async () => {
    const gone = new HttpReceiver();
    const address = await gone.start();
    await gone.stop();
    const reason = await failure(tellTarget({ kind: 'webhook', url: `${address}/geheim-token` }, notice));
    expect(reason).toBe('it cannot be reached (ECONNREFUSED)');
  });
});

test('ntfy gets title, priority, tag, link and token, in ASCII', async () => {
  await tellTarget({ kind: 'ntfy', url: `${url}/my-topic`, token: 'tk_geheim' }, notice);
  await tellTarget({ kind: 'ntfy', url: `${url}/my-topic` }, { ...notice, event: 'resolved' });
  const [opened, resolved] = http.notices;
  expect(opened).toMatchObject({ path: '/my-topic', body: 'No sign of life from it.' });
  expect(opened?.headers).toMatchObject({
    title: `=?UTF-8?B?${Buffer.from('Bühne is offline').toString('base64')}?=`,
    priority: '5',
    tags: 'rotating_light',
    click: 'https://fleet.example.org/devices/d-0123456789',
    authorization: 'Bearer tk_geheim',
  });
  expect(resolved?.headers).toMatchObject({ priority: '2', tags: 'white_check_mark' });
  expect(resolved?.headers['authorization']).toBeUndefined();
});

test('what is over though it may not have recovered is told so', async () => {
  await tellTarget({ kind: 'ntfy', url: `${url}/my-topic` }, { ...notice, event: 'resolved', reason: 'device-removed' });
  const [told] = http.notices;
  expect(told?.body).toBe('This alert is over since the device was removed from the fleet: it may not have recovered.');
  expect(told?.headers).toMatchObject({
    title: `=?UTF-8?B?${Buffer.from('No longer watched: Bühne is offline').toString('base64')}?=`,
    priority: '2',
    tags: 'mute',
  });
});

test('what somebody acknowledged meanwhile is not told as if nobody had', async () => {
  const ntfy = { kind: 'ntfy', url: `${url}/my-topic` } as const;
  const alert = { ...notice.alert, title: 'Stage is offline' };
  await tellTarget(ntfy, { ...notice, event: 'escalated', alert });
  await tellTarget(ntfy, { ...notice, event: 'escalated', alert: { ...alert, state: 'acknowledged', acknowledgedBy: 'ada' } });
  expect(http.notices.map(({ headers }) => headers['title'])).toEqual([
    'Nobody has acknowledged: Stage is offline',
    'Acknowledged late, by ada: Stage is offline',
  ]);
});

test('many as one: JSON for a webhook, lines for ntfy and mail, with what is over', async () => {
  const resolved: AlertNotice = {
    ...notice,
    event: 'resolved',
    alert: { ...notice.alert, id: 'other', title: 'Hall is offline', state: 'resolved', resolvedAt: '2026-11-21T12:05:00.000Z' },
  };
  const digest = digestOf('digest-id', [notice, resolved], 'https://fleet.example.org/alerts');
  await tellTarget({ kind: 'webhook', url, secret: 'geheim' }, digest);
  await tellTarget({ kind: 'ntfy', url: `${url}/my-topic` }, digest);
  const [hook, ntfy] = http.notices;
  expect(JSON.parse(hook?.body ?? '')).toEqual(digest);
  expect(hook?.headers['idempotency-key']).toBe('digest-id digest');
  expect(hook?.headers['x-makespacelive-signature']).toMatch(/^sha256=/);
  expect(ntfy?.headers).toMatchObject({
    title: '2 alerts: 1 new, 1 recovered',
    priority: '5',
    tags: 'rotating_light',
    click: 'https://fleet.example.org/alerts',
  });
  expect(ntfy?.body.split('\n')).toEqual([
    'Bühne is offline (critical, since 2026-11-21T12:00:00.000Z)',
    'Recovered: Hall is offline (critical, since 2026-11-21T12:00:00.000Z until 2026-11-21T12:05:00.000Z)',
  ]);
  const mail = new MailReceiver();
  const port = await mail.start();
  await tellTarget({ kind: 'email', host: '127.0.0.1', port, secure: false, from: 'fleet@example.org', to: ['ada@example.org'] }, digest);
  expect(mail.mails[0]?.text).toMatch(/^Subject: 2 alerts: 1 new, 1 recovered\r$/m);
  expect(mail.mails[0]?.text).toContain('Hall is offline (critical');
  await mail.stop();
});

describe('mail', () => {
  const target = (port: number): Extract<AlertTarget, { kind: 'email' }> =>
    ({
      kind: 'email',
      host: '127.0.0.1',
      port,
      secure: false,
      from: 'fleet@example.org',
      to: ['ada@example.org', 'bob@example.org'],
    }) as const;

  test('goes to everybody with subject, times and link', async () => {
    const mail = new MailReceiver();
    const port = await mail.start();
    await tellTarget(target(port), {
      ...notice,
      event: 'resolved',
      alert: { ...notice.alert, resolvedAt: '2026-11-21T12:05:00.000Z', title: 'Stage is offline' },
    });
    const [came] = mail.mails;
    expect(came?.to).toEqual(['ada@example.org', 'bob@example.org']);
    expect(came?.text).toMatch(/^Subject: Recovered: Stage is offline\r$/m);
    for (const part of ['Since: 2026-11-21T12:00:00.000Z', 'Until: 2026-11-21T12:05:00.000Z', notice.url ?? ''])
      expect(came?.text).toContain(part);
    await mail.stop();
  });

  test('with a password is never sent over a connection that somebody may read', async () => {
    const open = new MailReceiver();
    const port = await open.start();
    const reason = await failure(tellTarget({ ...target(port), user: 'somebody', password: 'geheim' }, notice));
    expect(reason).not.toBe('told');
    expect(reason).not.toContain('geheim');
    expect(open.mails).toEqual([]);
    await open.stop();
  });

  test.each([
    [550, []],
    [451, ['bob@example.org']],
  ])('that one of several is refused with %i says who, and who may take it later', async (code, later) => {
    const mail = new MailReceiver();
    mail.refuses.set('bob@example.org', code);
    const telling = tellTarget(target(await mail.start()), notice);
    await expect(telling).rejects.toMatchObject({ message: `it was taken, but not for bob@example.org (${code} not here)`, later });
    expect(mail.mails.map(({ to }) => to)).toEqual([['ada@example.org']]);
    await mail.stop();
  });

  test('to a server that is not there says so', async () => {
    expect(await failure(tellTarget(target(1), notice))).toMatch(/ECONNREFUSED/);
  });
});
