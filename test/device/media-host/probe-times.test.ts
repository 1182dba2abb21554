import { expect, test } from 'vitest';
import { mostPluggings, ProbeTimes, probeIntervalMs, wakeDelayMs } from '#device/media-host/probe-times.ts';
import { manualClock } from '../manual-clock.ts';

/** What the goal allows from the plugging until it is heard, less what its start and the capture's take. */
const boundMs = 1000;

function lost(losses: number) {
  const clock = manualClock();
  const beganMs = clock.monotonicMs();
  const triesMs: number[] = [];
  const times = new ProbeTimes(clock, () => triesMs.push(clock.monotonicMs() - beganMs));
  times.start(losses);
  return { clock, times, triesMs };
}

test.each([
  [1, 1000],
  [2, 2000],
  [3, 4000],
  [7, 60_000],
  [40, 60_000],
])('after %i losses one that stays in its socket is listened for after %i ms, and then each second', async (losses, firstMs) => {
  const { clock, triesMs } = lost(losses);
  await clock.advance(firstMs + 2 * probeIntervalMs);
  expect(triesMs).toEqual([firstMs, firstMs + 1000, firstMs + 2000]);
});

test.each([1, 2, 3, mostPluggings])('one that is plugged in again after %i losses is listened for at once', async (losses) => {
  const { clock, times, triesMs } = lost(losses);
  await clock.advance(700);
  times.wake();
  await clock.advance(boundMs);
  expect(triesMs[0]).toBe(700 + wakeDelayMs);
  await clock.advance(probeIntervalMs);
  expect(triesMs.length).toBeGreaterThan(1);
});

test('many changes put no try off, and make no more than four of them a second', async () => {
  const { clock, times, triesMs } = lost(3);
  for (let moment = 0; moment < 100; moment += 1) {
    times.wake();
    await clock.advance(20);
  }
  expect(triesMs[0]).toBe(wakeDelayMs);
  expect(triesMs.length).toBeLessThanOrEqual(8);
});

test('what comes and goes more often than a hand would gets its sound back with patience alone', async () => {
  const { clock, times, triesMs } = lost(mostPluggings + 1);
  times.wake();
  await clock.advance(59_999);
  expect(triesMs).toEqual([]);
  await clock.advance(1);
  expect(triesMs).toEqual([60_000]);
});

test('after its end nothing is tried, whatever is plugged in', async () => {
  const { clock, times, triesMs } = lost(3);
  times.stop();
  times.stop();
  times.wake();
  await clock.advance(120_000);
  expect(triesMs).toEqual([]);
  expect(clock.waitingTimers()).toBe(0);
});
