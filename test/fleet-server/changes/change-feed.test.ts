import { describe, expect, test } from 'vitest';
import { createChangeFeed } from '#fleet-server/changes/change-feed.ts';
import type { Change } from '#protocol/model/change.ts';
import { manualClock } from '../manual-clock.ts';

describe('the feed', () => {
  test('a burst about one thing is told at once and once more at its end; other things are not held up', async () => {
    const clock = manualClock();
    const feed = createChangeFeed({ clock });
    const told: [number, Change][] = [];
    feed.subscribe(({ id, change }) => told.push([id, change]));
    const one: Change = { subject: 'device', deviceId: 'one' };
    const two: Change = { subject: 'device', deviceId: 'two' };
    for (let count = 0; count < 100; count += 1) feed.publish(one);
    feed.publish(two);
    expect(told).toEqual([
      [1, one],
      [2, two],
    ]);
    await clock.advance(300);
    expect(told.slice(2)).toEqual([[3, one]]);
    await clock.advance(5000);
    expect(told).toHaveLength(3);
    feed.publish(one);
    expect(told).toHaveLength(4);
    feed.stop();
  });

  test('goes at most four times a second through a steady stream', async () => {
    const clock = manualClock();
    const feed = createChangeFeed({ clock });
    let told = 0;
    feed.subscribe(() => {
      told += 1;
    });
    for (let ms = 0; ms < 2000; ms += 10) {
      feed.publish({ subject: 'device', deviceId: 'one' });
      await clock.advance(10);
    }
    expect(told).toBeGreaterThanOrEqual(8);
    expect(told).toBeLessThanOrEqual(9);
    feed.stop();
  });
});
