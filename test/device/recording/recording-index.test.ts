import { expect, test } from 'vitest';
import { emptyIndex, nextWork, reconcile, withPlaceByName } from '#device/recording/recording-index.ts';

/** `11-02` is the second of November. */
const named = (day: string) => ({ name: `2026-${day}T10-00-00Z`, format: 'mp4', bytes: 1, isProtected: false, isComplete: true }) as const;
const ahead = { ...named('11-01'), name: '2036-01-01T10-00-00Z' };
const behind = { ...named('11-01'), name: '1970-01-01T00-00-10Z' };
const brought = named('11-03');

test.each([
  ['before those that were begun after it', [named('11-01'), named('11-05')], 1],
  ['first', [named('11-04'), named('11-05')], 0],
  ['last', [named('11-01'), named('11-02')], 2],
  ['alone', [], 0],
  ['a clock was ahead once: behind all that were made before it', [named('11-01'), ahead, named('11-02'), named('11-05')], 3],
  ['and first of all', [ahead, named('11-01'), named('11-02')], 3],
  ['a clock was behind once: after that rather than too early', [named('11-01'), named('11-04'), behind, named('11-05')], 3],
] as const)('one that was made elsewhere has its place: %s', (_, made, place) => {
  const inOrder = made.reduce((index, _file, count) => reconcile(index, made.slice(0, count + 1)), emptyIndex);
  const arrived = withPlaceByName(reconcile(inOrder, [...made, brought]), brought.name);
  expect(arrived.recordings.map(({ name }) => name)).toEqual(made.map(({ name }) => name).toSpliced(place, 0, brought.name));
  const numbers = arrived.recordings.map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
  expect(arrived.nextNumber).toBeGreaterThan(numbers.at(-1) ?? 0);
});

test('the next to be worked on: what nobody has looked into, then the oldest for whose conversion there is room', () => {
  const made = [named('11-01'), named('11-02'), named('11-03')];
  const index = reconcile(emptyIndex, made);
  const stated = (...states: ('written' | 'waiting' | 'ready')[]) => ({
    ...index,
    recordings: index.recordings.map((recording, place) => ({ ...recording, state: states[place] ?? 'ready' })),
  });
  const next = (...states: Parameters<typeof stated>) => nextWork(stated(...states), ({ number }) => number !== 1)?.number ?? null;
  expect(next('waiting', 'waiting', 'written')).toBe(3);
  expect(next('waiting', 'waiting', 'waiting')).toBe(2);
  expect(next('waiting', 'ready', 'ready')).toBeNull();
});
