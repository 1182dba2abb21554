import { expect, test } from 'vitest';
import { contentMarks } from '#fleet-server/web/status/content-marks.ts';

const since = '2026-11-21T12:00:00Z';
const codes = (...present: string[]) => contentMarks(present.map((code) => ({ code, since }))).map(({ code }) => code);

test('silent, black and frozen have signs, in one order; nothing else has', () => {
  expect(codes('picture-frozen', 'disk-low', 'audio-silent')).toEqual(['audio-silent', 'picture-frozen']);
  expect(codes('audio-clipping', 'no-microphone')).toEqual([]);
});

test('what another condition explains has none', () => {
  expect(codes('picture-black', 'picture-frozen')).toEqual(['picture-black']);
  expect(codes('pipeline-failed', 'audio-silent')).toEqual([]);
});
