import { expect, test } from 'vitest';
import { readArguments } from './read-arguments.ts';

test.each([
  ['', { kind: 'run', first: 1, count: 3000, isReplay: false }],
  ['--seeds 200 --first 5000', { kind: 'run', first: 5000, count: 200, isReplay: false }],
  ['--seed 7', { kind: 'run', first: 7, count: 1, isReplay: true }],
  ['--help', { kind: 'help' }],
  ['-h', { kind: 'help' }],
])('npm run simulate -- %s', (text, expected) => {
  expect(readArguments(text.split(' ').filter((part) => part !== ''))).toEqual(expected);
});

test.each([
  ['--seeds abc', /as --seeds, got "abc"/],
  ['--seeds 0', /as --seeds, got "0"/],
  ['--seeds 1.5 --first -1x', /as --seeds, got "1.5"|--first/],
  ['--seed 1e99', /as --seed, got "1e99"/],
  ['--seeds', /--seeds/],
  ['--sedes 3', /--sedes/],
  ['7', /7/],
])('what is wrong in %s is said', (text, words) => {
  expect(readArguments(text.split(' '))).toMatchObject({ kind: 'wrong', problem: expect.stringMatching(words) });
});
