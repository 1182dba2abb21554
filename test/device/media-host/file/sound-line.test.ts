import { expect, test } from 'vitest';
import { SoundLine } from '#device/media-host/file/sound-line.ts';

const rateHz = 1000;
/** Frames of two equal samples. */
const frames = (...values: readonly number[]) => Buffer.from(Int16Array.from(values.flatMap((value) => [value, value])).buffer);
const take = (line: SoundLine, count: number) =>
  [...new Int16Array(new Uint8Array(line.take(count)).buffer)].filter((_, index) => index % 2 === 0);
const at = (ms: number) => ms * 1e6;

test('what follows is joined, what is missing is silence, what is too late is left out', () => {
  const line = new SoundLine(rateHz, 0);
  line.add(at(0), frames(1, 2, 3), 0);
  line.add(at(3), frames(4), 0);
  line.add(at(20), frames(5, 6), 0);
  expect(line.aheadS).toBe(0.022);
  expect(take(line, 2)).toEqual([1, 2]);
  expect(take(line, 3)).toEqual([3, 4, 0]);
  expect(take(line, 16)).toEqual([...Array(15).fill(0), 5]);
  expect(line.nextNs).toBe(at(21));
  expect(take(line, 4)).toEqual([6, 0, 0, 0]);
  line.add(at(10), frames(7, 8), 0);
  expect(take(line, 1)).toEqual([0]);
  line.add(at(19), frames(0, 0, 0, 0, 0, 0, 9, 10, 11), 0);
  expect(take(line, 4)).toEqual([10, 11, 0, 0]);
});

test('times that are rounded make no seam', () => {
  const line = new SoundLine(rateHz, 0);
  line.add(at(0), frames(1, 2, 3), 0);
  line.add(at(5), frames(4, 5), 0);
  line.add(at(3), frames(6), 0);
  expect(take(line, 7)).toEqual([1, 2, 3, 4, 5, 6, 0]);
});

test('what an encoder puts before the first sample is left out', () => {
  const line = new SoundLine(rateHz, at(100));
  line.add(at(98), frames(1, 2, 3, 4), at(100));
  expect(line.nextNs).toBe(at(100));
  line.add(at(110), frames(9), at(100));
  expect(take(line, 11).at(-1)).toBe(9);
});
