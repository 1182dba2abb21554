import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { CardWriter } from '#device/media-host/card-writer.ts';
import { manualClock } from '../manual-clock.ts';

function newCard() {
  const clock = manualClock(new Date(2026, 10, 21, 9, 5, 7).getTime());
  const texts: string[] = [];
  const writer = new CardWriter(clock, (text) => texts.push(text));
  return { clock, writer, latest: () => texts.at(-1), count: () => texts.length };
}

test('it says where and since when from its first moment on, and each second how long', async () => {
  const { clock, writer, latest } = newCard();
  writer.setTitle('Hall 1');
  expect(latest()).toBeUndefined();
  writer.start();
  expect(latest()).toBe('Hall 1\nNo signal since 09:05:07\n00:00');
  await clock.advance(3000);
  expect(latest()).toBe('Hall 1\nNo signal since 09:05:07\n00:03');
});

test('another card, or another name, changes nothing of since when', async () => {
  const { clock, writer, latest, count } = newCard();
  writer.setTitle('');
  writer.start();
  await clock.advance(2500);
  const before = count();
  writer.start();
  expect(count()).toBe(before + 1);
  expect(latest()).toBe(`${hostname()}\nNo signal since 09:05:07\n00:02`);
  writer.setTitle('Hall 2');
  expect(latest()).toBe('Hall 2\nNo signal since 09:05:07\n00:02');
  await clock.advance(500);
  expect(latest()).toContain('00:03');
  expect(clock.waitingTimers()).toBe(1);
});

test('after a signal it begins anew; when the clock is set, the hour is right from then on, and how long it lasts is as it was', async () => {
  const { clock, writer, latest, count } = newCard();
  writer.setTitle('Hall 1');
  writer.start();
  writer.stop();
  writer.stop();
  const written = count();
  await clock.advance(5000);
  expect(count()).toBe(written);
  writer.start();
  clock.correctWallClock(3_600_000);
  await clock.advance(4000);
  expect(latest()).toBe('Hall 1\nNo signal since 10:05:12\n00:04');
  writer.stop();
  expect(clock.waitingTimers()).toBe(0);
});
