import { expect, test } from 'vitest';
import { nextTryWords } from '#fleet-server/web/device/next-try.ts';

test('counts down, and says so when the time has come', () => {
  const at = '2026-01-05T12:00:10.000Z';
  expect(nextTryWords(at, Date.parse(at) - 4200)).toBe('next try in 5 s');
  expect(nextTryWords(at, Date.parse(at))).toBe('trying again now');
});
