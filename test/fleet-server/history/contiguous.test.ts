import { expect, test } from 'vitest';
import { contiguousUpTo } from '#fleet-server/history/contiguous.ts';

test.each([
  ['nothing above', 3, [], 3],
  ['the next', 3, [4], 4],
  ['a run', 3, [4, 5, 6], 6],
  ['a gap', 3, [4, 6], 4],
  ['a gap at once', 3, [5], 3],
])('the highest number without a gap: %s', (_name, base, above, expected) => {
  expect(contiguousUpTo(base, above)).toBe(expected);
});
