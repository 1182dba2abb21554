import { expect, test } from 'vitest';
import { inOrderOfComing, inPlaceOf } from '#device/detect/microphone-order.ts';
import { microphone } from '../plan/hardware.ts';

const [first, second, third] = [microphone(1), microphone(2), microphone(3)];

/** What one look after the other gives, each in the order of its sockets. */
function looks(...seen: readonly (readonly ReturnType<typeof microphone>[])[]) {
  let known: readonly string[] = [];
  return seen.map((microphones) => {
    const order = inOrderOfComing(microphones, known);
    known = order.known;
    return order.microphones.map(({ card }) => card);
  });
}

test('those of the first look stay in the order of their sockets', () => {
  expect(looks([first, second], [first, second])).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

test('one that comes later stands behind, though its socket is the first', () => {
  expect(looks([second], [first, second], [first, second, third])).toEqual([[2], [2, 1], [2, 1, 3]]);
});

test('one that comes back has its place again', () => {
  expect(looks([first, second], [second], [first, second])).toEqual([[1, 2], [2], [1, 2]]);
});

test('what is known is bounded, and those that are there are never forgotten', () => {
  const many = Array.from({ length: 100 }, (_, card) => microphone(card + 10));
  let known = inOrderOfComing([second, first], []).known;
  for (const passing of many) known = inOrderOfComing([second, passing, first], known).known;
  expect(known.length).toBeLessThanOrEqual(64);
  expect(known.slice(0, 2)).toEqual([second.id, first.id]);
});

test('one that takes the place of another has it in the order', () => {
  expect(inPlaceOf(['a', 'b'], 'a', 'c')).toEqual(['c', 'b']);
  expect(inPlaceOf(['a', 'b', 'c'], 'a', 'c')).toEqual(['c', 'b']);
  expect(inPlaceOf(['a', 'b'], 'b', 'b')).toEqual(['a', 'b']);
});
