import { describe, expect, it } from 'vitest';
import { LineReader } from '#device/media/line-reader.ts';

function read(chunks: readonly (string | Buffer)[], maximumBytes = 100): unknown[] {
  const reader = new LineReader(maximumBytes);
  return chunks.map((chunk) => {
    const result = reader.read(Buffer.from(chunk));
    return result.kind === 'lines' ? result.lines : result.kind;
  });
}

describe('lines', () => {
  const umlaut = Buffer.from('ä\n');
  it.each([
    ['come whole', ['a\nb\n'], [['a', 'b']]],
    ['come in pieces', ['a', 'b', 'c\nd'], [[], [], ['abc']]],
    ['are put together by bytes, not by halves of letters', [umlaut.subarray(0, 1), umlaut.subarray(1)], [[], ['ä']]],
    ['that are empty are none', ['\n\na\n'], [['a']]],
    ['of the greatest length are taken', [`${'x'.repeat(100)}\n`], [['x'.repeat(100)]]],
  ])('%s', (_, chunks, expected) => {
    expect(read(chunks)).toEqual(expected);
  });

  it.each([
    ['at once', [`${'x'.repeat(101)}\n`], ['too-long']],
    ['without an end', ['x'.repeat(60), 'x'.repeat(60)], [[], 'too-long']],
  ])('that are too long end the conversation: %s', (_, chunks, expected) => {
    expect(read(chunks)).toEqual(expected);
  });
});
