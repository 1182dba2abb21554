import { expect, test } from 'vitest';
import { ofSettingsTrouble, urgency } from '#fleet-server/devices/urgency.ts';

const having = (...codes: readonly string[]) => codes.map((code) => ({ code, since: '2026-01-05T12:00:00.000Z' }));
const fine = urgency('live', []);

test.each([
  ['a critical condition', having('output-down')],
  ['a warning', having('board-hot')],
  ['a condition that only a newer agent knows', having('melted')],
])('a live device with %s comes before one without', (_what, conditions) => {
  expect(urgency('live', conditions)).toBeLessThan(fine);
});

test('a remark makes it no worse, nor does what follows from another condition', () => {
  expect(urgency('live', having('test-picture'))).toBe(fine);
  expect(urgency('live', having('test-picture', 'no-microphone'))).toBe(fine);
  expect(urgency('live', having('no-microphone'))).toBeLessThan(fine);
});

test('one that failed comes before one that is offline, and that before one with refused settings', () => {
  expect(urgency('failed', [])).toBeLessThan(urgency('offline', []));
  expect(urgency('offline', [])).toBeLessThan(ofSettingsTrouble);
  expect(ofSettingsTrouble).toBeLessThan(fine);
});

test('one that somebody shut out needs nobody: it comes with those that are stopped, before those that are fine', () => {
  expect(urgency('offline', having('blocked'))).toBe(urgency('stopped', []));
  expect(urgency('offline', having('blocked'))).toBeLessThan(fine);
});
