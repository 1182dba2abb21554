import { expect, test } from 'vitest';
import { Turns } from '#fleet-server/store/turns.ts';
import { settle } from '../manual-clock.ts';

test('a place that is given back is the next one’s, in order', async () => {
  const turns = new Turns(2, 60_000);
  const had: number[] = [];
  const all = [1, 2, 3, 4].map((number) => turns.take().then(() => had.push(number)));
  await settle();
  expect(had).toEqual([1, 2]);
  turns.give();
  await settle();
  expect(had).toEqual([1, 2, 3]);
  turns.give();
  await Promise.all(all);
  for (const _ of [3, 4]) turns.give();
  await Promise.all([turns.take(), turns.take()]);
});

test('nobody waits for ever, and whoever has given up takes no place', async () => {
  const turns = new Turns(1, 1);
  await turns.take();
  await expect(turns.take()).rejects.toThrow('expected a turn within 1 ms');
  turns.give();
  await turns.take();
});

test('those that wait are told that there is nothing to wait for', async () => {
  const turns = new Turns(1, 60_000);
  await turns.take();
  const waiting = [turns.take(), turns.take()];
  turns.refuseAll(new Error('nobody listens there'));
  expect(await Promise.allSettled(waiting)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  turns.give();
  await turns.take();
});
