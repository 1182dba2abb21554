import { expect, test } from 'vitest';
import { channelName, driftWords, levelNumber, levelShare, levelTone, levelWords } from '#fleet-server/web/figures/levels.ts';

test.each([
  [0, 1, 'bad', '0.0 dBFS'],
  [-1, 59 / 60, 'bad', '−1.0 dBFS'],
  [-6, 0.9, 'warn', '−6.0 dBFS'],
  [-20.04, 0.666, 'live', '−20.0 dBFS'],
  [-60, 0, 'live', '−60.0 dBFS'],
  [-75, 0, 'live', '−75.0 dBFS'],
  [-100, 0, 'live', 'nothing'],
])('%f dBFS', (dbfs, share, tone, words) => {
  expect(levelShare(dbfs)).toBeCloseTo(share, 2);
  expect(levelTone(dbfs)).toBe(tone);
  expect(levelWords(dbfs)).toBe(words);
});

test('a number alone, where the unit stands in the heading', () => {
  expect([0, -6.04, -100].map(levelNumber)).toEqual(['0.0', '−6.0', '−∞']);
});

test('channels by their names', () => {
  const channel = { peakDbfs: -20, rmsDbfs: -23, clippedSamples: 0 };
  expect(channelName(0, [channel])).toBe('Mono');
  expect([0, 1].map((index) => channelName(index, [channel, channel]))).toEqual(['Left', 'Right']);
  expect(channelName(2, [channel, channel, channel])).toBe('Channel 3');
});

test('drift in words', () => {
  expect(driftWords(0)).toBe('in step');
  expect(driftWords(12)).toBe('sound 12 ms behind');
  expect(driftWords(-80)).toBe('sound 80 ms ahead');
});
