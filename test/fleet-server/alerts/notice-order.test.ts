import { expect, test } from 'vitest';
import { inOrder } from '#fleet-server/alerts/notice-order.ts';

const row = (alertId: string, event: string, createdAtMs: number, isDue = true) => ({ alertId, event, createdAtMs, isDue });
const told = (...rows: readonly ReturnType<typeof row>[]) => inOrder(rows).map(({ alertId, event }) => `${alertId} ${event}`);

test('the oldest alert first, and of each alert what came about first, though a clock was set back meanwhile', () => {
  expect(
    told(row('b', 'opened', 20), row('a', 'resolved', 5), row('a', 'opened', 10), row('b', 'resolved', 30), row('a', 'escalated', 1)),
  ).toEqual(['a opened', 'a escalated', 'a resolved', 'b opened', 'b resolved']);
});

test('what is not due holds up what comes after it, of the same alert alone', () => {
  expect(
    told(
      ...[row('a', 'opened', 1), row('a', 'escalated', 2, false), row('a', 'resolved', 3)],
      ...[row('b', 'opened', 4, false), row('b', 'resolved', 5)],
      row('c', 'resolved', 6),
    ),
  ).toEqual(['a opened', 'c resolved']);
});
