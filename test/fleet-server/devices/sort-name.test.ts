import { expect, test } from 'vitest';
import { compareNames, sortedByName } from '#fleet-server/devices/sort-name.ts';

test('names stand in the order of people, those of the same name in the order of their ids', () => {
  const wanted = ['Camera 9', 'camera 10', 'Éclair', 'Foyer', 'zoo'].map((name) => ({ name, id: 'd-1' }));
  const namesakes = [{ name: 'zoo', id: 'd-2' }];
  const all = [...wanted, ...namesakes];
  expect(sortedByName(all.toReversed(), (device) => device)).toEqual(all);
  expect(all.toReversed().sort(compareNames)).toEqual(all);
});
