import { expect, test } from 'vitest';
import { isTimeZone, quietUntilMs } from '#fleet-server/alerts/quiet-hours.ts';

const berlin = { from: '22:00', to: '07:30', timeZone: 'Europe/Berlin' };
const at = (text: string) => Date.parse(text);

test.each([
  ['in the day', berlin, '2026-11-21T12:00:00Z', null],
  ['a minute before it begins', berlin, '2026-11-21T20:59:59Z', null],
  ['as it begins', berlin, '2026-11-21T21:00:00Z', '2026-11-22T06:30:00Z'],
  ['after midnight', berlin, '2026-11-22T02:15:30Z', '2026-11-22T06:30:00Z'],
  ['as it ends', berlin, '2026-11-22T06:30:00Z', null],
  ['over the night on which the clock is put forward', berlin, '2026-03-28T23:00:00Z', '2026-03-29T05:30:00Z'],
  ['over the night on which it is put back', berlin, '2026-10-24T22:00:00Z', '2026-10-25T06:30:00Z'],
  ['within one day', { from: '13:00', to: '14:00', timeZone: 'UTC' }, '2026-11-21T13:30:00Z', '2026-11-21T14:00:00Z'],
  ['from and to the same: never', { from: '09:00', to: '09:00', timeZone: 'UTC' }, '2026-11-21T09:00:00Z', null],
] as const)('%s', (_name, quiet, now, until) => {
  expect(quietUntilMs(quiet, at(now))).toBe(until === null ? null : at(until));
});

test('without quiet hours it is never quiet', () => {
  expect(quietUntilMs(null, 0)).toBeNull();
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Mars/Olympus', false],
  ['', false],
  ["'; --", false],
])('%s is a time zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is);
});
