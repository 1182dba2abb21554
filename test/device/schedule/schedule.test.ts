import { expect, test } from 'vitest';
import { scheduleState } from '#device/schedule/schedule.ts';

const berlin = 'Europe/Berlin';
const workdays = 'Mo-Fr 09:00-17:30; Sa 10:00-12:00';

function at(text: string | null, now: string, zone = berlin) {
  const { isOn, changesAtMs } = scheduleState(text, Date.parse(now), zone);
  return [isOn, changesAtMs === null ? null : new Date(changesAtMs).toISOString().replace(':00.000Z', 'Z')];
}

test.each([
  ['unset', null, '2026-11-21T03:00Z', true, null],
  ['Saturday before it opens', workdays, '2026-11-21T08:59:59Z', false, '2026-11-21T09:00Z'],
  ['a start belongs to its span', workdays, '2026-11-21T09:00Z', true, '2026-11-21T11:00Z'],
  ['an end does not', workdays, '2026-11-21T11:00Z', false, '2026-11-23T08:00Z'],
  ['in the middle of the week', workdays, '2026-11-24T12:00Z', true, '2026-11-24T16:30Z'],
  ['over midnight, before', 'Fr 22:00-02:00', '2026-11-20T22:00Z', true, '2026-11-21T01:00Z'],
  ['over midnight, after', 'Fr 22:00-02:00', '2026-11-21T00:30Z', true, '2026-11-21T01:00Z'],
  ['once a week', 'Sa 10:00-12:00', '2026-11-21T11:00Z', false, '2026-11-28T09:00Z'],
  ['every hour of the week', '00:00-24:00', '2026-11-21T11:00Z', true, null],
  ['spans that touch are one', '09:00-12:00, 12:00-13:00', '2026-11-21T08:30Z', true, '2026-11-21T12:00Z'],
  ['midnight as a seam', 'Mo 20:00-24:00; Tu 00:00-01:00', '2026-11-23T22:00Z', true, '2026-11-24T00:00Z'],
])('%s', (_name, text, now, isOn, changes) => {
  expect(at(text, now)).toEqual([isOn, changes]);
});

test('other zones: half hours, and the other side of the date line', () => {
  expect(at('09:00-10:00', '2026-11-21T03:20Z', 'Asia/Kathmandu')).toEqual([true, '2026-11-21T04:15Z']);
  expect(at('Su 09:00-10:00', '2026-11-21T20:30Z', 'Pacific/Auckland')).toEqual([true, '2026-11-21T21:00Z']);
});

// Berlin, 29 March 2026: at 02:00 the clock jumps to 03:00. 25 October: at 03:00 back to 02:00.
test.each([
  ['the day has 23 hours', '00:00-12:00', '2026-03-28T23:00Z', true, '2026-03-29T10:00Z'],
  ['a start that is skipped is the jump', '02:30-04:00', '2026-03-29T00:59Z', false, '2026-03-29T01:00Z'],
  ['an end that is skipped is the jump', '01:00-02:30', '2026-03-29T00:30Z', true, '2026-03-29T01:00Z'],
  ['a span that is skipped does not come', '02:10-02:50', '2026-03-29T00:50Z', false, '2026-03-30T00:10Z'],
  ['the day has 25 hours', '00:00-12:00', '2026-10-24T22:00Z', true, '2026-10-25T11:00Z'],
  ['a start that comes twice is the first', '02:30-04:00', '2026-10-25T00:29Z', false, '2026-10-25T00:30Z'],
  ['and does not stop for the second', '02:30-04:00', '2026-10-25T01:10Z', true, '2026-10-25T03:00Z'],
  ['an end that comes twice is the last', '01:00-02:30', '2026-10-25T00:40Z', true, '2026-10-25T01:30Z'],
  ['both within the hour that comes twice', '02:10-02:50', '2026-10-25T01:05Z', true, '2026-10-25T01:50Z'],
])('daylight saving: %s', (_name, text, now, isOn, changes) => {
  expect(at(text, now)).toEqual([isOn, changes]);
});

test('where the change is of half an hour, or at midnight', () => {
  // Lord Howe, 4 October 2026: 02:00 becomes 02:30. Cairo, 24 April 2026: 00:00 becomes 01:00.
  expect(at('02:15-05:00', '2026-10-03T15:29Z', 'Australia/Lord_Howe')).toEqual([false, '2026-10-03T15:30Z']);
  expect(at('00:00-06:00', '2026-04-23T21:59Z', 'Africa/Cairo')).toEqual([false, '2026-04-23T22:00Z']);
});

test('every minute of both weeks of change agrees with the moment that was foretold', () => {
  for (const start of ['2026-03-26T00:00Z', '2026-10-22T00:00Z']) {
    let foretold: number | null = null;
    let wasOn: boolean | null = null;
    for (let minute = 0; minute < 6 * 1440; minute += 5) {
      const nowMs = Date.parse(start) + minute * 60_000;
      const { isOn, changesAtMs } = scheduleState('Sa,Su 01:30-02:30, 23:00-00:30; Mo 12:00-13:00', nowMs, berlin);
      if (wasOn !== null && isOn !== wasOn) expect(foretold).toBe(nowMs);
      else if (foretold !== null) expect(changesAtMs).toBe(foretold);
      wasOn = isOn;
      foretold = changesAtMs;
    }
  }
});
