import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { type ChannelDraft, checkChannel, draftOfChannel, emptyChannel, targetWords } from '#fleet-server/web/alerts/channel-draft.ts';
import { AlertChannelRequest, type AlertTarget } from '#protocol/model/alert.ts';

const mail: AlertTarget = {
  kind: 'email',
  host: 'mail.example.org',
  port: 465,
  secure: true,
  from: 'alerts@example.org',
  to: ['ada@example.org', 'bob@example.org'],
  user: 'alerts',
};

test.for<AlertTarget>([{ kind: 'webhook', url: 'https://example.org/…' }, { kind: 'ntfy', url: 'http://ntfy.local/hall' }, mail])(
  'a channel comes back from its form as it went in, and says nothing of a secret: %o',
  (target) => {
    const checked = checkChannel(draftOfChannel({ id: 'c-1', name: 'Ops', target, lastAttempt: null }));
    expect(checked).toEqual({ kind: 'channel', channel: { name: 'Ops', target } });
    expect(checked.kind === 'channel' && Check(AlertChannelRequest, checked.channel)).toBe(true);
  },
);

test('a secret goes where its kind has it', () => {
  const url = 'https://example.org';
  const named = { ...emptyChannel, name: 'Ops', url, secret: 'very secret' };
  expect(checkChannel(named)).toMatchObject({ channel: { target: { kind: 'webhook', url, secret: 'very secret' } } });
  expect(checkChannel({ ...named, kind: 'ntfy' })).toMatchObject({ channel: { target: { kind: 'ntfy', url, token: 'very secret' } } });
  const mailed = { ...draftOfChannel({ id: 'c-1', name: 'Ops', target: mail, lastAttempt: null }), secret: 'very secret' };
  expect(checkChannel(mailed)).toMatchObject({ channel: { target: { ...mail, password: 'very secret' } } });
});

test('where it tells, in a line', () => {
  expect(targetWords(mail)).toBe('ada@example.org, bob@example.org by mail.example.org');
  expect(targetWords({ kind: 'ntfy', url: 'https://ntfy.sh/hall' })).toBe('https://ntfy.sh/hall');
});

test.for([
  [{ name: ' ' }, ['name']],
  [{ url: '' }, ['url']],
  [{ url: 'ftp://example.org' }, ['url']],
  [{ url: 'https://example.org/…abcd' }, ['url']],
  [{ url: 'https://example.org/x', knownUrl: 'https://example.org/…abcd' }, []],
  [{ url: 'https://a b' }, ['url']],
  [{ kind: 'email' }, ['host', 'from', 'to']],
  [{ kind: 'email', host: 'mail.example.org', from: 'a@b.org', to: 'a@b.org; nobody' }, ['to']],
  [{ kind: 'email', host: 'mail.example.org', from: 'a@b.org', to: 'a@b.org', port: '0' }, ['port']],
  [{ kind: 'email', host: 'mail/example', from: 'a@b.org', to: 'a@b.org' }, ['host']],
] as const satisfies readonly [Partial<ChannelDraft>, readonly string[]][])('%o is a problem of %o', ([change, fields]) => {
  const checked = checkChannel({ ...emptyChannel, name: 'Ops', url: 'https://example.org', ...change });
  expect(checked.kind === 'problems' ? Object.keys(checked.problems) : []).toEqual(fields);
});
