import { expect, test } from 'vitest';
import { coverWords } from '#fleet-server/web/device/player-words.ts';
import { streamKinds } from '#protocol/model/device.ts';

const since = '2026-01-05T12:00:00.000Z';

test.for(streamKinds.filter((kind) => kind !== 'live' && kind !== 'elsewhere'))('%s is not called live over the picture', (kind) => {
  expect(coverWords({ kind, since, detail: '' }, null)).not.toMatch(/live/i);
});

test('a stream that is received and not on the screen yet', () => {
  const stream = { kind: 'live', since, detail: '' } as const;
  expect(coverWords(stream, null)).toBe('Loading the picture');
  expect(coverWords(stream, { kind: 'retrying', reason: 'no playlist', nextTryAtMs: 0 })).toBe('Waiting for the picture');
});

test('since when it is gone', () => {
  expect(coverWords({ kind: 'offline', since, detail: '' }, null)).toMatch(/^Offline since /);
});
