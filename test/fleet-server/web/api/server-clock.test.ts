import { expect, test } from 'vitest';
import { clockOffsetMs } from '#fleet-server/web/api/server-clock.ts';

const date = 'Mon, 05 Jan 2026 12:00:00 GMT';
const atMs = Date.parse(date);

test.for([
  ['a clock that is right', date, atMs + 400, atMs + 900, 0],
  ['a laptop that is ten minutes late', date, atMs - 600_000, atMs - 600_000, 600_000],
  ['no header', null, atMs, atMs, null],
  ['no date', 'soon', atMs, atMs, null],
] as const)('%s', ([, header, sentAtMs, receivedAtMs, expected]) => {
  expect(clockOffsetMs(header, sentAtMs, receivedAtMs)).toBe(expected);
});
