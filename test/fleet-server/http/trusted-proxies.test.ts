import { expect, test } from 'vitest';
import { clientAddress, parseTrustedProxies, trustOf } from '#fleet-server/http/trusted-proxies.ts';

const isTrusted = trustOf(parseTrustedProxies('127.0.0.1, 10.0.0.0/8, fd00::/8') ?? []);

test.each([
  ['127.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['::ffff:10.1.2.3', '203.0.113.5', '203.0.113.5'],
  ['fd00::1', '2001:db8::5', '2001:db8::5'],
  ['10.0.0.2', '198.51.100.9, 203.0.113.5, 10.0.0.1', '203.0.113.5'],
  ['203.0.113.9', '198.51.100.9', '203.0.113.9'],
  ['10.0.0.2', undefined, '10.0.0.2'],
  ['10.0.0.2', 'made up', '10.0.0.2'],
])('the client behind %s that forwards %s is %s', (remote, forwardedFor, expected) => {
  expect(clientAddress(remote, forwardedFor, isTrusted)).toBe(expected);
});

test.each(['proxy', '10.0.0.0/33', '10.0.0.1,', '10.0.0.0/8/8', 'fd00::/129'])('%s is no list of addresses', (text) => {
  expect(parseTrustedProxies(text)).toBeUndefined();
});
