import { expect, it } from 'vitest';
import { LookPace } from '#device/media-host/look-pace.ts';

function pace(costsMs: readonly number[]): readonly [number, number] {
  const lookPace = new LookPace();
  for (const costMs of costsMs) lookPace.note(costMs);
  return [Math.round(lookPace.intervalMs(false)), Math.round(lookPace.intervalMs(true))];
}

it.each([
  ['nobody has looked yet', [], [300, 200]],
  ['a look costs nothing', [0.01], [100, 100]],
  ['a fiftieth of a core', [3], [150, 150]],
  ['looks are dear', [6], [300, 200]],
  ['looks are dearer than that', [20], [300, 200]],
  ['one was held up', [2, 500], [110, 110]],
  ['the first was held up', [500, 2], [100, 100]],
])('%s', (_, costsMs, expected) => {
  expect(pace(costsMs)).toEqual(expected);
});
