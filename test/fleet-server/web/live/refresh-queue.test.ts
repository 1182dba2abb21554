import { describe, expect, test } from 'vitest';
import type { QueryPrefix } from '#fleet-server/web/live/affected.ts';
import { RefreshQueue } from '#fleet-server/web/live/refresh-queue.ts';

/** A clock that goes on when it is told to, and readings that end when they are told to. */
function setUp() {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly act: () => void }[] = [];
  const readings: { readonly prefixes: readonly QueryPrefix[]; readonly end: () => void }[] = [];
  const queue = new RefreshQueue({
    refresh: (prefixes) => {
      return new Promise<void>((end) => {
        readings.push({ prefixes, end });
      });
    },
    after: (delayMs, act) => {
      const timer = { atMs: nowMs + delayMs, act };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  });
  const goOn = async (ms: number): Promise<void> => {
    nowMs += ms;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { act } of due) act();
    await Promise.resolve();
  };
  const endReading = async (index: number): Promise<void> => {
    readings[index]?.end();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { queue, readings, goOn, endReading };
}

describe('the refresh queue', () => {
  test('reads at once, then gathers a burst into one more reading', async () => {
    const { queue, readings, goOn, endReading } = setUp();
    queue.add([['devices']]);
    queue.add([['devices'], ['device', 'd-one']]);
    queue.add([['devices']]);
    expect(readings.map(({ prefixes }) => prefixes)).toEqual([[['devices']]]);
    await endReading(0);
    expect(readings).toHaveLength(1);
    await goOn(300);
    expect(readings[1]?.prefixes).toEqual([['devices'], ['device', 'd-one']]);
  });

  test('does not begin a second reading while the first one goes on', async () => {
    const { queue, readings, goOn, endReading } = setUp();
    queue.add([['devices']]);
    queue.add([['devices']]);
    await goOn(300);
    expect(readings).toHaveLength(1);
    await endReading(0);
    expect(readings).toHaveLength(2);
  });

  test('a reading that hangs holds it up for two seconds at most', async () => {
    const { queue, readings, goOn } = setUp();
    queue.add([['devices']]);
    queue.add([['device', 'd-one']]);
    await goOn(300);
    await goOn(1700);
    expect(readings[1]?.prefixes).toEqual([['device', 'd-one']]);
  });

  test('reads nothing after it was stopped', async () => {
    const { queue, readings, goOn, endReading } = setUp();
    queue.add([['devices']]);
    queue.add([['devices']]);
    queue.stop();
    queue.stop();
    await endReading(0);
    await goOn(5000);
    expect(readings).toHaveLength(1);
  });
});
