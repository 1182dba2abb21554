import { expect, it } from 'vitest';
import { backOffDelay, backOffDelays } from '#device/media/back-off.ts';

const policy = { firstMs: 500, factor: 2, capMs: 10_000, jitter: 0.5 };

it.each([
  [1, 0, 500],
  [2, 0, 1000],
  [5, 0, 8000],
  [6, 0, 10_000],
  [1_000_000, 0, 10_000],
  [2, 0.5, 750],
  [2, 0.999999, 500],
])('attempt %d with random %d waits %d ms', (attempt, random, expected) => {
  expect(backOffDelay(policy, attempt, random)).toBe(expected);
});

it('gives waits without end', () => {
  const delays = backOffDelays(policy, () => 0);
  expect(Array.from({ length: 7 }, () => delays.next().value)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});
