import { expect, it } from 'vitest';
import { LookPace } from '#device/media-host/look-pace.ts';

function pace(costsMs: readonly number[]): readonly [number, number] {
  const lookPace = new LookPace();
  for (const costMs of costsMs) lookPace.note(costMs);
  return [Math.round(lookPace.intervalMs(false)), Math.round(lookPace.intervalMs(true))];
}

it.each([
  ['nobody has looked yet', [], [500, 200]],
  ['a look costs nothing', [0.01], [100, 100]],
  ['a look costs what it does on a Pi', [0.1], [100, 100]],
  ['a share of a core, and four times of it for one that is behind', [0.8], [160, 100]],
  ['looks are dear for one that keeps up', [4], [500, 200]],
  ['looks are dear', [6], [500, 200]],
  ['looks are dearer than that', [20], [500, 200]],
  ['one was held up', [1, 500], [220, 100]],
  ['the first was held up', [500, 1], [200, 100]],
])('%s', (_, costsMs, expected) => {
  expect(pace(costsMs)).toEqual(expected);
});
