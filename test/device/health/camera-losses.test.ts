import { expect, test } from 'vitest';
import { type CameraLosses, noLosses, recentLosses, rememberLosses } from '#device/health/camera-losses.ts';

/** Counts of the media host, each with the minute in which it was heard. */
function after(heard: readonly (readonly [counted: number, minute: number])[]): CameraLosses {
  return heard.reduce((losses, [counted, minute]) => rememberLosses(losses, counted, minute * 60_000), noLosses);
}

test.each([
  ['none', [], 0, 0],
  [
    'heard again and again, it is one',
    [
      [1, 0],
      [1, 1],
      [1, 2],
    ],
    3,
    1,
  ],
  [
    'three in ten minutes',
    [
      [1, 0],
      [2, 4],
      [3, 9],
    ],
    9.5,
    3,
  ],
  [
    'old ones are forgotten',
    [
      [1, 0],
      [2, 4],
      [3, 9],
    ],
    12,
    2,
  ],
  [
    'a new media host counts from nought',
    [
      [2, 0],
      [0, 1],
      [1, 2],
    ],
    3,
    3,
  ],
  ['no more are kept than are needed', [[1_000_000, 0]], 1, 32],
] as const)('%s', (_, heard, atMinute, expected) => {
  expect(recentLosses(after(heard), atMinute * 60_000)).toBe(expected);
});
