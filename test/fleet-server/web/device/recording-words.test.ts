import { expect, test } from 'vitest';
import { conditionWords, lengthWords } from '#fleet-server/web/device/recording-words.ts';
import type { ListedRecording } from '#protocol/recordings.ts';

const recording: ListedRecording = {
  number: 1,
  name: '2026-11-21T10-00-00Z',
  format: 'mp4',
  state: 'ready',
  startedAt: '2026-11-21T10:00:00.000Z',
  durationMs: 600_033,
  bytes: 1,
  sha256: null,
  isProtected: false,
  mendedBytes: 0,
  problem: null,
};

test('how long, to the second', () => {
  expect([600_033, 3_599_600, 999, null].map(lengthWords)).toEqual(['0:10:00', '1:00:00', '0:00:01', '']);
});

test('what became of it', () => {
  expect(conditionWords(recording)).toBe('ready');
  expect(conditionWords({ ...recording, mendedBytes: 12_000 })).toBe('ready; mended: 12 kB that cannot be played left out');
  expect(conditionWords({ ...recording, state: 'unconvertible', problem: 'it is cut off' })).toBe('stays as FLV: it is cut off');
});
