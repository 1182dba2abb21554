import { describe, expect, it } from 'vitest';
import { decoderConfiguration, isEndOfSequence, parseTag, writeTimestamp } from '#device/media-host/flv.ts';
import { makeTag, tagBytes } from './tags.ts';

describe('a tag', () => {
  it.each([
    ['script', { kind: 'script', isHeader: true, isKeyframe: false }],
    ['video-header', { kind: 'video', isHeader: true, isKeyframe: false }],
    ['audio-header', { kind: 'audio', isHeader: true, isKeyframe: false }],
    ['keyframe', { kind: 'video', isHeader: false, isKeyframe: true }],
    ['frame', { kind: 'video', isHeader: false, isKeyframe: false }],
    ['end', { kind: 'video', isHeader: false, isKeyframe: false }],
    ['sound', { kind: 'audio', isHeader: false, isKeyframe: false }],
  ] as const)('is read: %s', (kind, expected) => {
    expect(parseTag(tagBytes(kind, 77))).toMatchObject({ ...expected, timestampMs: 77 });
  });

  it.each([
    ['the file header', Buffer.from('464c5601050000000900000000', 'hex')],
    ['nothing', Buffer.alloc(0)],
    ['a cut tag', Buffer.from([9, 0, 0])],
    ['another type', Buffer.alloc(40, 1)],
  ])('is not %s', (_, bytes) => {
    expect(parseTag(bytes)).toBeNull();
  });

  it.each([0, 1, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff])('keeps the time %d in its 32 bits', (timestampMs) => {
    const bytes = tagBytes('frame');
    writeTimestamp(bytes, timestampMs);
    expect(parseTag(bytes)?.timestampMs).toBe(timestampMs);
    expect(bytes.subarray(11)).toEqual(tagBytes('frame').subarray(11));
  });

  it('is told from the end of a capture, which has no picture', () => {
    const kinds = ['script', 'video-header', 'audio-header', 'keyframe', 'frame', 'sound', 'end'] as const;
    expect(kinds.filter((kind) => isEndOfSequence(makeTag(kind)))).toEqual(['end']);
  });

  it('gives its decoder configuration only where it has one', () => {
    expect(decoderConfiguration(makeTag('video-header', 0, 40))).toHaveLength(40 - 15 - 5);
    expect(decoderConfiguration(makeTag('keyframe'))).toBeNull();
    expect(decoderConfiguration(makeTag('audio-header'))).toBeNull();
  });
});
