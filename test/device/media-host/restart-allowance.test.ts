import { expect, test } from 'vitest';
import { RestartAllowance, restartsAnHour } from '#device/media-host/restart-allowance.ts';

const hourMs = 3_600_000;

/** When a capture is restarted that fails at once, each time, with a second of back-off. */
function restartsWithin(durationMs: number, allowance: RestartAllowance, fromMs = 0): readonly number[] {
  const times: number[] = [];
  for (let nowMs = fromMs; nowMs < fromMs + durationMs; nowMs += Math.max(1000, allowance.holdMs(nowMs))) {
    allowance.spend(nowMs);
    times.push(nowMs);
  }
  return times;
}

test('the restarts of an hour come as quickly as they are wanted, and then one a minute, for ever', () => {
  const times = restartsWithin(24 * hourMs, new RestartAllowance());
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(steps.slice(0, restartsAnHour - 1)).toEqual(Array.from({ length: restartsAnHour - 1 }, () => 1000));
  expect(Math.max(...steps)).toBe(60_000);
  expect(times.filter((time) => time < hourMs)).toHaveLength(2 * restartsAnHour - 1);
  expect(times.filter((time) => time >= 23 * hourMs)).toHaveLength(restartsAnHour);
});

test.each([
  [60_000, 1],
  [hourMs, restartsAnHour],
  [100 * hourMs, restartsAnHour],
])('after %i ms without one there are so many again at the usual pace: %i', (calmMs, expected) => {
  const allowance = new RestartAllowance();
  const last = restartsWithin(hourMs, allowance).at(-1) ?? 0;
  // What is given back while they are spent is less than one.
  const atOnce = restartsWithin(59_000, allowance, last + calmMs);
  expect(atOnce.length).toBe(Math.min(expected, 59));
});

test('who restarts it by hand is not held up, and puts off the next restart by a minute at most', () => {
  const allowance = new RestartAllowance();
  for (let time = 0; time < 10 * restartsAnHour; time += 1) allowance.spend(5000);
  expect(allowance.holdMs(5000)).toBe(60_000);
});
