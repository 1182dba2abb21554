import { expect, test } from 'vitest';
import { headroomBytes, mayRecord, mayResume, reservedBytes } from '#device/recording/disk-room.ts';

test.each([
  ['a disk of a terabyte', 1e12, 50e9],
  ['a card of 32 GB', 32e9, 1.6e9],
  ['a card of 8 GB', 8e9, 500e6],
  ['a stick of 1 GB', 1e9, 125e6],
])('%s keeps so much free', (_name, totalBytes, expected) => {
  expect(reservedBytes(totalBytes)).toBe(expected);
});

test('who paused for want of room begins again only with some to spare, and room is made before anybody pauses', () => {
  const totalBytes = 32e9;
  const reserve = reservedBytes(totalBytes);
  expect(mayRecord({ totalBytes, freeBytes: reserve })).toBe(false);
  expect(mayRecord({ totalBytes, freeBytes: reserve + 1 })).toBe(true);
  expect(mayResume({ totalBytes, freeBytes: reserve + 1 })).toBe(false);
  expect(mayResume({ totalBytes, freeBytes: reserve + headroomBytes(totalBytes) })).toBe(true);
});
