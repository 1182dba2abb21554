import { expect, test } from 'vitest';
import { parseTag, type Tag } from '#device/media-host/flv.ts';
import { fullSegmentBytes, Segmenter, type SegmentStep } from '#device/media-host/segmenter.ts';
import { makeTag, read, spell } from './tags.ts';

const begin = Date.parse('2026-11-21T10:00:00Z');

/** Steps as words: `open@second[headers]`, tags with the time that stands in their bytes, `close`. */
function cut(tags: readonly Tag[], segmentMs: number, wallMs: (tag: Tag) => number = (tag) => begin + tag.timestampMs): string {
  const segmenter = new Segmenter(segmentMs);
  return tags
    .flatMap((tag) => segmenter.next(tag, wallMs(tag)))
    .map((step) => describe(step))
    .join(' ');
}

function describe(step: SegmentStep): string {
  switch (step.kind) {
    case 'open':
      return `open@${(step.startedAtMs - begin) / 1000}[${spell(tagsIn(step.bytes.subarray(13)))}]`;
    case 'write':
      return spell(tagsIn(step.bytes));
    case 'close':
      return 'close';
    default:
      return step satisfies never;
  }
}

function tagsIn(bytes: Buffer): Tag[] {
  const tag = parseTag(bytes.subarray(0, 40));
  return tag === null ? [] : [tag, ...tagsIn(bytes.subarray(40))];
}

function otherHeader(kind: 'video-header' | 'audio-header'): Tag {
  const tag = makeTag(kind);
  tag.bytes[20] = 1;
  return tag;
}

test.each([
  ['nothing before the first keyframe', 'S0 V0 A0 f10 s20 K100 f133', 'open@0.1[S0 V0 A0] K0 f33'],
  [
    'a cut at the keyframe after the length, time from nought',
    'V0 K0 f400 K500 f900 K1000 f1033',
    'open@0[V0] K0 f400 K500 f900 close open@1[V0] K0 f33',
  ],
  ['sound belongs to the file of its moment', 'V0 A0 K0 s990 K1000 s1010', 'open@0[V0 A0] K0 s990 close open@1[V0 A0] K0 s10'],
  ['a keyframe late: the file is longer, never cut elsewhere', 'V0 K0 f1500 K2000', 'open@0[V0] K0 f1500 close open@2[V0] K0'],
  ['the same headers again cut nothing', 'S0 V0 A0 K0 S1 V1 A1 K500 f533', 'open@0[S0 V0 A0] K0 K500 f533'],
  ['a hole of a restarted capture', 'V0 K0 K3500 f3533', 'open@0[V0] K0 close open@3.5[V0] K0 f33'],
  ['a hole that no keyframe follows', 'V0 K0 f3500 K4000', 'open@0[V0] K0 f3500 close open@4[V0] K0'],
])('%s', (_name, tags, steps) => {
  expect(cut(read(tags), tags.includes('3500') ? 10_000 : 1000)).toBe(steps);
});

test('a file that has grown to its bound ends at the next keyframe, far below what FAT32 takes', () => {
  const tagsToTheBound = 4;
  const segmenter = new Segmenter(60_000, 13 + 40 * tagsToTheBound);
  const steps = read('V0 K0 f33 K66 f100 f133 K166 f200').flatMap((tag) => segmenter.next(tag, begin + tag.timestampMs));
  expect(steps.map(describe).join(' ')).toBe('open@0[V0] K0 f33 K66 f100 f133 close open@0.166[V0] K0 f34');
  expect(fullSegmentBytes).toBeLessThan(2 ** 32 - 500_000_000);
});

test('another size begins another file at its keyframe', () => {
  const tags = [...read('V0 A0 K0 f33'), otherHeader('video-header'), ...read('K66 s70')];
  expect(cut(tags, 60_000)).toBe('open@0[V0 A0] K0 f33 close open@0.066[V0 A0] K0 s4');
});

test('what another sound needs does not come into the file of the old one', () => {
  const tags = [...read('V0 A0 K0 s33'), otherHeader('audio-header'), ...read('s50 f60 K66 s70')];
  expect(cut(tags, 60_000)).toBe('open@0[V0 A0] K0 s33 close open@0.066[V0 A0] K0 s4');
});

test('sound that begins late is in the file at once, and in the next one from its beginning', () => {
  expect(cut(read('V0 K0 f33 A33 s40 K1000'), 60_000)).toBe('open@0[V0] K0 f33 A33 s40 close open@1[V0 A0] K0');
});

test.each([
  ['back by an hour', -3_600_000],
  ['forward by a year', 365 * 86_400_000],
])('a clock that is set %s begins a file with the right name', (_name, jumpMs) => {
  const wallMs = ({ timestampMs }: Tag) => begin + timestampMs + (timestampMs >= 1000 ? jumpMs : 0);
  expect(cut(read('V0 K0 K500 f1000 K1500 K2000'), 60_000, wallMs)).toBe(
    `open@0[V0] K0 K500 f1000 close open@${1.5 + jumpMs / 1000}[V0] K0 K500`,
  );
});

test('the bytes of a tag stay as they are: every output has the same ones', () => {
  const [header, keyframe] = read('V0 K5000');
  if (header === undefined || keyframe === undefined) throw new Error('expected two tags');
  const before = Buffer.from(keyframe.bytes);
  cut([header, keyframe], 1000);
  expect(keyframe.bytes).toEqual(before);
});

test('the file header tells of picture and sound', () => {
  const opened = new Segmenter(1000);
  opened.next(makeTag('video-header'), 0);
  opened.next(makeTag('audio-header'), 0);
  const [step] = opened.next(makeTag('keyframe'), 0);
  expect(step?.kind === 'open' && step.bytes.subarray(0, 13)).toEqual(Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]));
});
