import { describe, expect, test } from 'vitest';
import { streamLabel, streamTone, streamWords } from '#fleet-server/web/status/stream-words.ts';
import { streamKinds } from '#protocol/model/device.ts';

describe('the words for a stream', () => {
  test.for(streamKinds.filter((kind) => kind !== 'live'))('%s is never called live', (kind) => {
    expect(streamWords(kind)).not.toMatch(/live/i);
    expect(streamTone(kind)).not.toBe('live');
  });

  test('what was live when the connection was lost is not called live now', () => {
    expect(streamLabel('live', false)).toBe('Live');
    expect(streamLabel('live', true)).toBe('Last known: live');
  });

  test('every state has words of its own', () => {
    expect(new Set(streamKinds.map(streamWords)).size).toBe(streamKinds.length);
  });
});
