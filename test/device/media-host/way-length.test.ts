import { expect, it } from 'vitest';
import { WayLength } from '#device/media-host/way-length.ts';

function isShort(roundTripsMs: readonly (number | null)[]): boolean {
  const length = new WayLength();
  for (const roundTripMs of roundTripsMs) length.note(roundTripMs);
  return length.isShort;
}
const often = (roundTripMs: number, times: number): readonly number[] => new Array<number>(times).fill(roundTripMs);

it.each([
  ['nothing known yet: it may be long', [], false],
  ['a connection that the kernel does not have', [null], false],
  ['as on a wire', [0], true],
  ['just below the bound', [48], true],
  ['at the bound', [52], false],
  ['never again asked of the kernel', [0, null], true],
  ['around the bound: as when it was least', [48, 52, 56, 52], true],
  ['first late, then as it is', [300, 4], true],
  ['a short way that is full for ten seconds', [4, ...often(300, 100)], true],
  ['a way that has become long', [4, ...often(200, 250)], false],
])('%s', (_, roundTripsMs, expected) => {
  expect(isShort(roundTripsMs)).toBe(expected);
});

it('knows nothing of the next connection', () => {
  const length = new WayLength();
  length.note(0);
  length.clear();
  expect(length.isShort).toBe(false);
});
