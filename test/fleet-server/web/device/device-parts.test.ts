import { expect, test } from 'vitest';
import { partOf, partsFor } from '#fleet-server/web/device/device-parts.ts';

test('the log is offered to those to whom the server tells it', () => {
  const forViewers = partsFor(false);
  expect(partsFor(true).map(({ name }) => name)).toEqual([...forViewers.map(({ name }) => name), 'log']);
  expect(partOf('log', forViewers)).toBe('overview');
  expect(partOf('log', partsFor(true))).toBe('log');
  expect(partOf('', forViewers)).toBe('overview');
  expect(partOf('settings', forViewers)).toBe('settings');
});
