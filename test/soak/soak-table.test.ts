import { expect, test } from 'vitest';
import { growthOfSecondHalf, type SoakRow, soakHeading, soakLine } from './soak-table.ts';

const row = (index: number, agentMb: number, hostMb: number): SoakRow => ({
  elapsedS: index,
  restarts: index * 10,
  changes: index,
  agentRssBytes: agentMb * 1e6,
  hostRssBytes: hostMb * 1e6,
});

test('what warms up in the first half is no growth, what goes on growing is', () => {
  const rows = Array.from({ length: 40 }, (_, index) => row(index, Math.min(80, 60 + index), 50 + index));
  expect(growthOfSecondHalf(rows)).toEqual({ agentBytes: 0, hostBytes: 15e6 });
});

test('one high sample is no growth', () => {
  const rows = Array.from({ length: 40 }, (_, index) => row(index, index === 39 ? 200 : 80, 50));
  expect(growthOfSecondHalf(rows)).toEqual({ agentBytes: 0, hostBytes: 0 });
  expect(growthOfSecondHalf([])).toEqual({ agentBytes: 0, hostBytes: 0 });
});

test('the columns stand under their names', () => {
  expect(soakLine(row(12, 80.25, 50))).toHaveLength(soakHeading().length);
});
