import { expect, test } from 'vitest';
import { durationWords, relativeWords } from '#fleet-server/web/time/words.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

test.for([
  [0, '0 s'],
  [-5 * second, '0 s'],
  [59.9 * second, '59 s'],
  [minute, '1 min'],
  [59 * minute, '59 min'],
  [hour, '1 h'],
  [3 * hour + 20 * minute, '3 h 20 min'],
  [52 * hour, '2 d 4 h'],
  [48 * hour, '2 d'],
] as const)('%s ms are %s', ([ms, words]) => {
  expect(durationWords(ms)).toBe(words);
});

test.for([
  [0, 'just now'],
  [1900, 'just now'],
  [42 * second, '42 s ago'],
  [-800, 'just now'],
  [-4200, 'in 5 s'],
] as const)('%s ms of age are %s', ([age, words]) => {
  expect(relativeWords(1_000_000, 1_000_000 + age)).toBe(words);
});
