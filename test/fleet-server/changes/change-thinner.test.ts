import { expect, test } from 'vitest';
import { createChangeThinner } from '#fleet-server/changes/change-thinner.ts';
import type { Change } from '#protocol/model/change.ts';

const change = (index: number): Change => ({ subject: 'device', deviceId: `d-${index}` });
const offerMany = (thinner: ReturnType<typeof createChangeThinner>, count: number) =>
  Array.from({ length: count }, (_, index) => thinner.offer(change(index))).filter((told) => told !== null);

test('a few changes are told as they come', () => {
  const thinner = createChangeThinner();
  expect(offerMany(thinner, 40)).toEqual(Array.from({ length: 40 }, (_, index) => change(index)));
  expect(thinner.endWindow()).toEqual([]);
});

test('of many the rest is told once at the window’s end, each subject', () => {
  const thinner = createChangeThinner();
  expect(offerMany(thinner, 1000)).toHaveLength(40);
  expect(thinner.offer({ subject: 'device-preview', deviceId: 'd-1' })).toBeNull();
  expect(thinner.endWindow()).toEqual([{ subject: 'device' }, { subject: 'device-preview' }]);
});

test('while there are many each window is told once, and the last change of all is told', () => {
  const thinner = createChangeThinner();
  offerMany(thinner, 41);
  thinner.endWindow();
  expect(offerMany(thinner, 1000)).toEqual([]);
  expect(thinner.endWindow()).toEqual([{ subject: 'device' }]);
  expect(offerMany(thinner, 1)).toEqual([]);
  expect(thinner.endWindow()).toEqual([{ subject: 'device' }]);
  expect(offerMany(thinner, 1)).toEqual([change(0)]);
  expect(thinner.endWindow()).toEqual([]);
});

test('what is of no device is told at once', () => {
  const thinner = createChangeThinner();
  offerMany(thinner, 1000);
  expect(thinner.offer({ subject: 'alerts' })).toEqual({ subject: 'alerts' });
});
