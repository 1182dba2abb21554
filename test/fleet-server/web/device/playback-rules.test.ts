import { describe, expect, test } from 'vitest';
import {
  isStalled,
  isTooFarBehind,
  onOwnOrigin,
  retryDelayMs,
  shouldRenew,
  withTicketOf,
} from '#fleet-server/web/device/playback-rules.ts';

test('tries come with growing pauses, at most ten seconds and a third', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 100].map((attempt) => Math.round(retryDelayMs(attempt, 0)));
  expect(pauses).toEqual([1000, 1700, 2890, 4913, 8352, 10_000, 10_000]);
  expect(retryDelayMs(100, 1)).toBeCloseTo(13_333, 0);
});

test('bounds', () => {
  expect([isTooFarBehind(10), isTooFarBehind(10.1)]).toEqual([false, true]);
  expect([isStalled(0, 8000), isStalled(0, 8001)]).toEqual([false, true]);
  const expiresAt = '2026-01-05T12:10:00.000Z';
  expect([shouldRenew(expiresAt, Date.parse(expiresAt) - 91_000), shouldRenew(expiresAt, Date.parse(expiresAt) - 89_000)]).toEqual([
    false,
    true,
  ]);
});

describe('a new ticket', () => {
  const newest = 'http://fleet:8080/hls/new/d-one/index.m3u8';
  test.for([
    ['the playlist', 'http://fleet:8080/hls/old/d-one/index.m3u8', newest],
    ['a fragment', 'http://fleet:8080/hls/old/d-one/17.ts', 'http://fleet:8080/hls/new/d-one/17.ts'],
    ['anything else stays', 'http://fleet:8080/other/17.ts', 'http://fleet:8080/other/17.ts'],
  ] as const)('%s', ([, address, expected]) => {
    expect(withTicketOf(address, newest)).toBe(expected);
  });
});

describe('the address for this page', () => {
  test.for([
    ['the same origin', 'http://fleet:8080/hls/t/d/index.m3u8', 'http://fleet:8080', 'http://fleet:8080/hls/t/d/index.m3u8'],
    [
      'opened under another name',
      'https://fleet.example.org/hls/t/d/index.m3u8',
      'http://192.0.2.7:8080',
      'http://192.0.2.7:8080/hls/t/d/index.m3u8',
    ],
    [
      'a public address with a path',
      'https://x.example/fleet/hls/t/d/index.m3u8',
      'http://192.0.2.7',
      'http://192.0.2.7/hls/t/d/index.m3u8',
    ],
  ] as const)('%s', ([, address, origin, expected]) => {
    expect(onOwnOrigin(address, origin)).toBe(expected);
  });
});
