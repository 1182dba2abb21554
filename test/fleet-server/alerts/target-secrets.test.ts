import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { auditedTarget, changedTarget, newTarget, shownAddress, shownTarget } from '#fleet-server/alerts/target-secrets.ts';
import { AlertTarget } from '#protocol/model/alert.ts';

const slack = 'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXabcd';

test.for([
  [slack, 'https://hooks.slack.com/…abcd'],
  ['https://discord.com/api/webhooks/123456789012345678/long-and-secret', 'https://discord.com/…cret'],
  ['https://ntfy.sh/hall', 'https://ntfy.sh/…'],
  ['https://example.org:8443/hook?token=hush', 'https://example.org:8443/…'],
  ['https://ada:hush@example.org', 'https://example.org/…'],
  ['https://example.org/?key=hush', 'https://example.org/…'],
  ['https://example.org/#hush', 'https://example.org/…'],
  ['http://ntfy.local', 'http://ntfy.local'],
  ['https://[hush', 'https://…'],
] as const)('of the address %s is shown %s', ([url, shown]) => {
  expect(shownAddress(url)).toBe(shown);
  expect(Check(AlertTarget, { kind: 'webhook', url: shown })).toBe(true);
});

test('neither an answer nor the audit log has a secret', () => {
  const target: AlertTarget = { kind: 'webhook', url: slack, secret: 'hush' };
  expect(shownTarget(target)).toEqual({ kind: 'webhook', url: 'https://hooks.slack.com/…abcd' });
  expect(auditedTarget(target)).toBe('{"kind":"webhook","url":"https://hooks.slack.com/…abcd","secret":"(secret)"}');
});

test('what comes back as it was shown stays, secret included', () => {
  const former: AlertTarget = { kind: 'webhook', url: slack, secret: 'hush' };
  expect(changedTarget(former, shownTarget(former))).toEqual(former);
  const elsewhere = { kind: 'webhook', url: 'https://hooks.slack.com/services/another' } as const;
  expect(changedTarget(former, elsewhere)).toEqual({ ...elsewhere, secret: 'hush' });
  const mail: AlertTarget = { kind: 'email', host: 'm', port: 25, secure: false, from: 'a@b', to: ['c@d'], password: 'hush' };
  expect(changedTarget(mail, shownTarget(mail))).toEqual(mail);
});

test.for([
  ['a new one', () => newTarget({ kind: 'ntfy', url: 'https://ntfy.sh/…' })],
  ['another server’s', () => changedTarget({ kind: 'ntfy', url: 'https://ntfy.sh/hall' }, { kind: 'ntfy', url: 'https://ntfy.example/…' })],
  ['another kind’s', () => changedTarget({ kind: 'ntfy', url: 'https://ntfy.sh/hall' }, { kind: 'webhook', url: 'https://ntfy.sh/…' })],
  ['none at all', () => newTarget({ kind: 'ntfy', url: 'https://[' })],
] as const)('an address that is not whole is refused: %s', ([, make]) => {
  expect(make).toThrow('Expected in target a whole address');
});
