import { expect, test } from 'vitest';
import { noConditions, shownConditions, trackConditions } from '#device/health/condition-tracker.ts';

const at = (monotonicMs: number, nowMs = monotonicMs) => ({ monotonicMs, nowMs });

test('since when is kept while it lasts, the detail is the latest', () => {
  const first = trackConditions(noConditions, [{ code: 'disk-low', detail: '400 MB free' }], at(1000));
  const second = trackConditions(first, [{ code: 'disk-low', detail: '300 MB free' }], at(5000));
  expect(shownConditions(second, 5000)).toEqual([{ code: 'disk-low', since: '1970-01-01T00:00:01.000Z', detail: '300 MB free' }]);
});

test('shown when it has lasted as long as its definition asks, by a clock that is not corrected', () => {
  const first = trackConditions(noConditions, [{ code: 'frame-rate-low' }], at(0, 1e12));
  const second = trackConditions(first, [{ code: 'frame-rate-low' }], at(9999, 2e12));
  expect(shownConditions(second, 9999)).toEqual([]);
  expect(shownConditions(trackConditions(second, [{ code: 'frame-rate-low' }], at(10_000, 0)), 10_000)).toHaveLength(1);
});

test('what began before the clock was set has the time at which it did once it is', () => {
  const first = trackConditions(noConditions, [{ code: 'disk-low' }], at(1000));
  const setMs = Date.parse('2026-11-21T12:00:00Z');
  const second = trackConditions(first, [{ code: 'disk-low' }], at(61_000, setMs));
  expect(shownConditions(second, 61_000)).toEqual([{ code: 'disk-low', since: '2026-11-21T11:59:00.000Z' }]);
  const third = trackConditions(second, [{ code: 'disk-low' }], at(121_000, setMs + 60_300));
  expect(shownConditions(third, 121_000)).toEqual(shownConditions(second, 61_000));
});

test('gone and back again begins anew', () => {
  const first = trackConditions(noConditions, [{ code: 'output-down' }], at(0));
  const gone = trackConditions(first, [], at(1000));
  const back = trackConditions(gone, [{ code: 'output-down' }], at(2000));
  expect(shownConditions(back, 4000)).toEqual([]);
  expect(shownConditions(back, 5000)).toMatchObject([{ since: '1970-01-01T00:00:02.000Z' }]);
});
