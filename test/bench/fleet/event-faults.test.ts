import { expect, test } from 'vitest';
import { eventFaults } from './event-faults.ts';

test.each<[string, number, readonly number[], number, number]>([
  ['all are there, in any order', 3, [2, 1, 3], 0, 0],
  ['the last is lost', 3, [1, 2], 1, 0],
  ['all are lost', 3, [], 3, 0],
  ['one between is lost, and one is there twice', 4, [1, 2, 2, 4], 1, 1],
  ['one that is lost does not hide behind one that is there thrice', 3, [1, 1, 1], 2, 2],
])('%s', (_name, said, stored, lost, doubled) => {
  expect(eventFaults(said, stored)).toEqual({ lost, doubled });
});
