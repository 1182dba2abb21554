import { expect, test } from 'vitest';
import type { Recording } from '#device/recording/recording-index.ts';
import { recordingsText } from '#device/recording/recordings-text.ts';

const ready: Recording = {
  number: 1,
  name: '2026-11-21T10-00-00Z',
  format: 'mp4',
  state: 'ready',
  startedAt: '2026-11-21T10:00:00.000Z',
  bytes: 195_000_000,
  durationMs: 600_033,
  frames: 18_000,
  sounds: 9375,
  sha256: 'a'.repeat(64),
  isProtected: true,
  attempts: 0,
  problem: null,
};

test('a line a recording, and what is left of the disk', () => {
  const unconvertible: Recording = {
    ...ready,
    name: '2026-11-21T10-10-00Z-2',
    format: 'flv',
    state: 'unconvertible',
    isProtected: false,
    bytes: 9_000_000,
    problem: 'the converted file is cut off',
  };
  const writing: Recording = {
    ...ready,
    name: '2026-11-21T10-20-00Z',
    format: 'flv',
    state: 'recording',
    durationMs: null,
    isProtected: false,
  };
  expect(recordingsText([ready, unconvertible, writing], 12_340_000_000)).toBe(
    [
      '2026-11-21T10-00-00Z.mp4    0:10:00  195.0 MB  protected  ready',
      '2026-11-21T10-10-00Z-2.flv  0:10:00    9.0 MB             stays as FLV: the converted file is cut off',
      '2026-11-21T10-20-00Z.flv          ?  195.0 MB             is being written',
      '3 recordings, 0.40 GB; 12.34 GB free',
      '',
    ].join('\n'),
  );
});

test('none', () => {
  expect(recordingsText([], 1_000_000_000)).toBe('no recordings; 1.00 GB free\n');
});
