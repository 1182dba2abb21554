import { expect, test } from 'vitest';
import {
  isTicked,
  noneTicked,
  type Selection,
  selectionBody,
  whileMatching,
  withAll,
  withTick,
} from '#fleet-server/web/devices/selection.ts';

const [one, two] = [
  { id: 'd-1', name: 'one' },
  { id: 'd-2', name: 'two' },
];
const all: Selection = { kind: 'matching', match: { state: 'live' } };

test('ticks of one page stay when those of another are added', () => {
  const selection = withAll(withTick(noneTicked, one, true, [one]), [two]);
  expect(selectionBody(selection)).toEqual({ deviceIds: ['d-1', 'd-2'] });
  expect(selectionBody(withTick(selection, one, false, [two]))).toEqual({ deviceIds: ['d-2'] });
});

test('all that match are told to the server as what they match', () => {
  expect(isTicked(all, 'd-anything')).toBe(true);
  expect(selectionBody(all)).toEqual({ matching: { state: 'live' } });
});

test('without one of them it is no longer all, but those in sight', () => {
  expect(selectionBody(withTick(all, one, false, [one, two]))).toEqual({ deviceIds: ['d-2'] });
});

test('all that match are no longer chosen when something else is looked for', () => {
  expect(whileMatching(all, { state: 'live' })).toBe(all);
  expect(whileMatching(all, { state: 'offline' })).toBe(noneTicked);
  const ticked = withTick(noneTicked, one, true, []);
  expect(whileMatching(ticked, { state: 'offline' })).toBe(ticked);
});
