import { expect, test } from 'vitest';
import { batchWords, notDone } from '#fleet-server/web/devices/batch-words.ts';

test('what failed is named before what is still open; what is done is not named', () => {
  const states = ['done', 'sent', 'failed', 'waiting', 'expired', 'refused'] as const;
  const commands = states.map((state) => ({ deviceId: `d-${state}`, id: state, state, finishedAt: null, detail: '' }));
  expect(notDone({ commands }).map(({ state }) => state)).toEqual(['failed', 'expired', 'refused', 'sent', 'waiting']);
});

test.for([
  [{ total: 3, open: 3, begun: 0, done: 0, notDone: 0 }, '0 of 3 done'],
  [{ total: 9, open: 5, begun: 2, done: 3, notDone: 1 }, '3 of 9 done, 1 not, 2 under way'],
] as const)('how far all of them are: %o', ([progress, words]) => {
  expect(batchWords(progress)).toBe(words);
});
