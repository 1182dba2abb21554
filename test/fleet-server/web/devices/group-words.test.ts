import { expect, test } from 'vitest';
import { asWord, asWords } from '#fleet-server/web/devices/group-words.ts';

test.for([
  ['Hall 1', 'hall-1'],
  ['--upstairs', 'upstairs'],
  ['Saal Ü', 'saal--'],
] as const)('%s becomes %s', ([typed, word]) => {
  expect(asWord(typed)).toBe(word);
});

test('each word once, and none that is empty', () => {
  expect(asWords(['Hall', 'hall', '-', 'stage'])).toEqual(['hall', 'stage']);
});
