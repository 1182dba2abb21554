import { expect, test } from 'vitest';
import { isOwnMachine, joinCommand } from '#fleet-server/web/devices/join-command.ts';

test('the command names this server and the token', () => {
  expect(joinCommand('https://fleet.example.org', 'abc')).toBe('FLEET_URL=https://fleet.example.org FLEET_JOIN_TOKEN=abc npm run agent');
});

test.for([
  ['localhost', true],
  ['127.0.0.1', true],
  ['[::1]', true],
  ['192.0.2.7', false],
  ['localhost.example.org', false],
] as const)('%s means this machine only: %s', ([hostname, expected]) => {
  expect(isOwnMachine(hostname)).toBe(expected);
});
