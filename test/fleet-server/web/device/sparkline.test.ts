import { expect, test } from 'vitest';
import { extentOf, meanOf, sparkline } from '#fleet-server/web/device/sparkline.ts';

const range = { fromMs: 0, toMs: 100 };
const box = { width: 100, height: 10 };

test('a gap breaks the line', () => {
  const points = [
    { atMs: 0, value: 10 },
    { atMs: 50, value: null },
    { atMs: 100, value: 10 },
  ];
  expect(sparkline(points, range, box)).toBe('M0.0 0.9h0.1M100.0 0.9h0.1');
});

test('nothing measured is nothing drawn', () => {
  expect(sparkline([], range, box)).toBe('');
  expect(meanOf([{ atMs: 0, value: null }])).toBeNull();
  expect(extentOf([])).toEqual({ low: 0, high: 1 });
});

test('zero lies on the ground', () => {
  expect(sparkline([{ atMs: 0, value: 0 }], range, box)).toBe('M0.0 10.0h0.1');
});

test('a level in dBFS, which is never above 0, hangs from the top', () => {
  const points = [
    { atMs: 0, value: -10 },
    { atMs: 100, value: -20 },
  ];
  expect(sparkline(points, range, box)).toBe('M0.0 4.5h0.1L100.0 9.1');
});
