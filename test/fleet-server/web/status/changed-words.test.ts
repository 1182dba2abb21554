import { expect, test } from 'vitest';
import { changedWords } from '#fleet-server/web/status/changed-words.ts';
import { aDevice } from '../devices/a-device.ts';

test('a change of state is said, with the name', () => {
  expect(changedWords([aDevice()], [aDevice({ kind: 'failed' })])).toBe('One: Failed.');
});

test('nothing is said of what stays, nor of a device that is new', () => {
  expect(changedWords([aDevice()], [aDevice(), aDevice({ id: 'd-new', kind: 'failed' })])).toBe('');
});

test('many changes at once are summed up', () => {
  const ids = ['d-a', 'd-b', 'd-c', 'd-d'];
  const before = ids.map((id) => aDevice({ id }));
  expect(
    changedWords(
      before,
      ids.map((id) => aDevice({ id, kind: 'offline' })),
    ),
  ).toBe('The streams of 4 devices changed.');
});
