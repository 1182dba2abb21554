import { expect, test } from 'vitest';
import { pauseMs, readChange } from '#fleet-server/web/live/live-channel.ts';

test('pauses grow from one second to ten, and are spread', () => {
  expect([0, 1, 2, 3, 4, 50].map((attempt) => pauseMs(attempt, 0))).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  expect(pauseMs(0, 0.5)).toBe(1250);
});

test.for([
  ['a change', '{"subject":"device","deviceId":"d-one"}', { subject: 'device', deviceId: 'd-one' }],
  ['a subject that is not known', '{"subject":"weather"}', null],
  ['no JSON', 'oops', null],
  ['no text', 7, null],
] as const)('%s', ([, data, expected]) => {
  expect(readChange(data)).toEqual(expected);
});
