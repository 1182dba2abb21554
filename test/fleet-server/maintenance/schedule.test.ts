import { describe, expect, test } from 'vitest';
import { openUntilMs } from '#fleet-server/maintenance/schedule.ts';
import type { MaintenanceSchedule } from '#protocol/model/maintenance.ts';

const until = (schedule: MaintenanceSchedule, now: string): string | null => {
  const ms = openUntilMs(schedule, Date.parse(now));
  return ms === null ? null : new Date(ms).toISOString().slice(0, 16);
};
const weekly = (from: string, to: string, days: ('mon' | 'fri' | 'sat' | 'sun')[] = ['mon'], timeZone = 'Europe/Berlin') =>
  ({ kind: 'weekly', days, from, to, timeZone }) as const;
const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

describe('once', () => {
  const once = { kind: 'once', from: '2026-11-23T10:00:00.000Z', to: '2026-11-23T12:00:00.000Z' } as const;
  test.each([
    ['before', '2026-11-23T09:59:59Z', null],
    ['from its first moment', '2026-11-23T10:00:00Z', '2026-11-23T12:00'],
    ['to its last', '2026-11-23T11:59:59Z', '2026-11-23T12:00'],
    ['after', '2026-11-23T12:00:00Z', null],
  ])('%s', (_name, now, expected) => {
    expect(until(once, now)).toBe(expected);
  });
});

describe('weekly, by the clock of a place', () => {
  test.each<[string, MaintenanceSchedule, string, string | null]>([
    ['a Monday in winter', weekly('10:00', '12:00'), '2026-11-23T09:30:00Z', '2026-11-23T11:00'],
    ['an hour earlier it is not open', weekly('10:00', '12:00'), '2026-11-23T08:30:00Z', null],
    ['a Monday in summer', weekly('10:00', '12:00'), '2026-07-20T08:30:00Z', '2026-07-20T10:00'],
    ['another day', weekly('10:00', '12:00'), '2026-11-24T09:30:00Z', null],
    ['past midnight, on the day on which it begins', weekly('22:00', '02:00', ['sat']), '2026-11-21T22:30:00Z', '2026-11-22T01:00'],
    ['… and on the next', weekly('22:00', '02:00', ['sat']), '2026-11-22T00:30:00Z', '2026-11-22T01:00'],
    ['… and not on the day before', weekly('22:00', '02:00', ['sat']), '2026-11-21T00:30:00Z', null],
    ['from Sunday into Monday', weekly('22:00', '02:00', ['sun']), '2026-11-23T00:30:00Z', '2026-11-23T01:00'],
    ['a whole day', weekly('00:00', '00:00', ['mon'], 'UTC'), '2026-11-23T13:00:00Z', '2026-11-24T00:00'],
    ['the night in which clocks go back is an hour longer', weekly('01:00', '05:00', ['sun']), '2026-10-24T23:30:00Z', '2026-10-25T04:00'],
    ['the night in which they go on is an hour shorter', weekly('01:00', '05:00', ['sun']), '2026-03-29T00:30:00Z', '2026-03-29T03:00'],
  ])('%s', (_name, schedule, now, expected) => {
    expect(until(schedule, now)).toBe(expected);
  });

  test('around the clock has an end that lies ahead, whenever it is asked for', () => {
    const always: MaintenanceSchedule = { kind: 'weekly', days: [...everyDay], from: '00:00', to: '00:00', timeZone: 'UTC' };
    for (let hour = 0; hour < 48; hour += 1) {
      const nowMs = Date.parse('2026-11-23T00:00:00Z') + hour * 3_600_000;
      expect(openUntilMs(always, nowMs)).toBeGreaterThan(nowMs);
    }
  });
});
