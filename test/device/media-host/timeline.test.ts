import { describe, expect, it } from 'vitest';
import { TimeLine } from '#device/media-host/timeline.ts';
import { read, spell } from './tags.ts';

/** Each capture: when its first tag arrives, and its tags at their own times, which arrive in step. */
function place(captures: readonly { readonly atMs: number; readonly tags: string }[]): string {
  const line = new TimeLine();
  return captures
    .map(({ atMs, tags }) => {
      line.startCapture();
      const own = read(tags);
      const firstMs = own.find((tag) => !tag.isHeader)?.timestampMs ?? 0;
      return spell(own.map((tag) => line.place(tag, atMs + (tag.isHeader ? 0 : tag.timestampMs - firstMs))));
    })
    .join(' | ');
}

describe('the time line', () => {
  it.each([
    ['begins at zero', [{ atMs: 500, tags: 'S0 V0 A0 K70 s75 f103' }], 'S0 V0 A0 K0 s5 f33'],
    [
      'goes on where the old capture ended, plus the time between',
      [
        { atMs: 1000, tags: 'S0 V0 A0 K0 s10 f33' },
        { atMs: 1233, tags: 'S0 V0 A0 K0 f33' },
      ],
      'S0 V0 A0 K0 s10 f33 | S33 V33 A33 K233 f266',
    ],
    ['never goes back when sound is late', [{ atMs: 0, tags: 'K0 f33 s20 f66 s84' }], 'K0 f33 s33 f66 s84'],
    ['keeps packets of one kind apart', [{ atMs: 0, tags: 'K0 f0 f0 f100' }], 'K0 f1 f2 f100'],
    [
      'moves on where a new capture comes in the same moment',
      [
        { atMs: 0, tags: 'K0 f33' },
        { atMs: 33, tags: 'K0' },
      ],
      'K0 f33 | K34',
    ],
    ['follows the 32 bits around', [{ atMs: 0, tags: 'K4294967290 f4294967295 f28 s10 f61' }], 'K0 f5 f34 s34 f67'],
  ])('%s', (_, captures, expected) => {
    expect(place(captures)).toBe(expected);
  });

  it('is not shaken by a capture that starts with a step back in its own time', () => {
    expect(place([{ atMs: 0, tags: 'K100 f90 f133' }])).toBe('K0 f1 f33');
  });
});
