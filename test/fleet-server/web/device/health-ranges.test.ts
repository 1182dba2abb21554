import { expect, test } from 'vitest';
import { healthRange, healthRanges, moveMs, withGaps } from '#fleet-server/web/device/health-ranges.ts';

const at = (second: number) => ({ at: new Date(second * 1000).toISOString() });

test('each range is one question of at most 400 points', () => {
  for (const { rangeMs, stepS } of healthRanges) expect(rangeMs / 1000 / stepS).toBeLessThanOrEqual(400);
});

test('an hour moves on every half minute, a year every five', () => {
  expect(healthRanges.map(moveMs)).toEqual([30_000, 300_000, 300_000, 300_000]);
  expect(healthRange('year').words).toBe('the last year');
});

test('where nothing came for more than a step there is a gap', () => {
  expect(withGaps([at(0), at(30), at(90), at(120)], 30)).toEqual([at(0), at(30), null, at(90), at(120)]);
  expect(withGaps([], 30)).toEqual([]);
});
