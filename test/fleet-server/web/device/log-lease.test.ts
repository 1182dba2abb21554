import { expect, test } from 'vitest';
import { logLease, maxAsksAnOpening, shouldAsk } from '#fleet-server/web/device/log-lease.ts';
import type { CommandStatus } from '#protocol/model/command.ts';

const askedAtMs = Date.UTC(2026, 10, 28, 1);
const command = (about: Partial<CommandStatus>): CommandStatus => ({
  id: '12345678',
  kind: 'send-logs',
  state: 'done',
  requestedBy: 'admin',
  requestedAt: new Date(askedAtMs).toISOString(),
  deadline: new Date(askedAtMs + 30_000).toISOString(),
  finishedAt: new Date(askedAtMs).toISOString(),
  detail: '',
  ...about,
});

test.for([
  ['nothing was asked for', [], { kind: 'none' }],
  ['only something else was', [command({ kind: 'identify' })], { kind: 'none' }],
  ['it waits', [command({ state: 'sent', finishedAt: null })], { kind: 'asked' }],
  ['it is sent', [command({})], { kind: 'open', untilMs: askedAtMs + 300_000 }],
  ['the time is over', [command({ finishedAt: new Date(askedAtMs - 240_000).toISOString() })], { kind: 'over', atMs: askedAtMs + 60_000 }],
  ['it was not done', [command({ state: 'expired', detail: 'Too late.' }), command({})], { kind: 'not-given', words: 'Too late.' }],
] as const)('%s', ([, commands, expected]) => {
  expect(logLease(commands, askedAtMs + 120_000)).toEqual(expected);
});

test('a page asks by itself when it is opened and when the device has ended it, within bounds', () => {
  const open = { kind: 'open', untilMs: 1 } as const;
  const over = { kind: 'over', atMs: 1 } as const;
  const here = { isAway: false, asks: 1 };
  expect(shouldAsk({ kind: 'none' }, { ...here, asks: 0 })).toBe(true);
  expect(shouldAsk(over, here)).toBe(true);
  expect(shouldAsk(over, { ...here, isAway: true })).toBe(false);
  expect(shouldAsk(over, { ...here, asks: maxAsksAnOpening })).toBe(false);
  for (const lease of [open, { kind: 'asked' }, { kind: 'not-given', words: '' }] as const) expect(shouldAsk(lease, here)).toBe(false);
});
