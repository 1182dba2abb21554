import { expect, test } from 'vitest';
import { Histogram } from '#fleet-server/metrics/histogram.ts';

test('counts how often something took at most so long', () => {
  const histogram = new Histogram();
  for (const ms of [0, 1, 30, 40_000, -5]) histogram.observe(ms);
  const { buckets, count, sumS } = histogram.figures();
  expect(count).toBe(5);
  expect(sumS).toBeCloseTo(40.031);
  expect(buckets.filter(({ leS }) => [0.001, 0.025, 0.05, 10].includes(leS)).map(({ count: below }) => below)).toEqual([3, 3, 4, 4]);
});
