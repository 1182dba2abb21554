import { expect, test } from 'vitest';
import { Entrance, entrancePolicy } from '#fleet-server/broker/entrance.ts';
import { manualClock } from '../manual-clock.ts';

const { places, longestMs } = entrancePolicy;
const crowd = (count: number) => Array.from({ length: count }, (_, index) => ({ index }));

function open() {
  const clock = manualClock();
  const entrance = new Entrance<{ index: number }>(clock);
  const inside: number[] = [];
  const enter = (who: { index: number }) => entrance.enter(who, () => inside.push(who.index));
  return { clock, entrance, inside, enter };
}

test('who comes first is let in first, and the next when a place is free', () => {
  const { entrance, inside, enter } = open();
  const all = crowd(places + 3);
  for (const who of all) enter(who);
  expect(inside).toEqual(all.slice(0, places).map(({ index }) => index));
  expect(entrance.waiting).toBe(3);
  entrance.leave(all[7] ?? { index: -1 });
  entrance.leave({ index: -1 });
  expect(inside.slice(places)).toEqual([places]);
});

test('who leaves while waiting is never let in, and takes nobody’s place', () => {
  const { entrance, inside, enter } = open();
  const all = crowd(places + 2);
  for (const who of all) enter(who);
  entrance.leave(all[places] ?? { index: -1 });
  entrance.leave(all[0] ?? { index: -1 });
  expect(inside.slice(places)).toEqual([places + 1]);
  expect(entrance.waiting).toBe(0);
});

test('who never says that it is all there holds its place for a bounded time', async () => {
  const { clock, inside, enter } = open();
  for (const who of crowd(places + 1)) enter(who);
  await clock.advance(longestMs - 1);
  expect(inside).toHaveLength(places);
  await clock.advance(1);
  expect(inside).toHaveLength(places + 1);
});
