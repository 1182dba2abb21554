import { expect, test } from 'vitest';
import { isTimeZone, parseSchedule } from '#protocol/schedule.ts';
import { parseSetting } from '#protocol/settings.ts';

const span = (startMinute: number, endMinute: number) => ({ startMinute, endMinute });
const everyDay = [0, 1, 2, 3, 4, 5, 6];

test.each([
  [
    'Mo-Fr 09:00-17:30; Sa 10:00-12:00',
    [
      { days: [0, 1, 2, 3, 4], spans: [span(540, 1050)] },
      { days: [5], spans: [span(600, 720)] },
    ],
  ],
  ['9:00-10:00', [{ days: everyDay, spans: [span(540, 600)] }]],
  ['mon, WED 08:00-12:00, 13:00-24:00;', [{ days: [0, 2], spans: [span(480, 720), span(780, 1440)] }]],
  ['Fr 22:00-02:00', [{ days: [4], spans: [span(1320, 1560)] }]],
  ['Sa-Mo 00:00-24:00', [{ days: [0, 5, 6], spans: [span(0, 1440)] }]],
])('%s', (text, rules) => {
  expect(parseSchedule(text)).toEqual(rules);
});

test.each([
  '',
  ';',
  'always',
  'Mo',
  'Xx 09:00-10:00',
  'Mo-Tu-We 09:00-10:00',
  'Mo 9-10',
  'Mo 09:60-10:00',
  'Mo 24:00-25:00',
  '09:00-09:00',
  'Mo 09:00-10:00,',
  '09:00-10:00 Mo',
  Array.from({ length: 33 }, () => '09:00-10:00').join(';'),
])('no schedule: %s', (text) => {
  expect(parseSchedule(text)).toBeNull();
});

test('time zones are those that this machine knows', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Nowhere')).toBe(false);
});

test('wrong hours and zones are refused with an example', () => {
  expect(parseSetting('AV_STREAM_SCHEDULE', 'sometimes')).toMatchObject({
    kind: 'problem',
    problem: { expected: 'days and times such as Mo-Fr 09:00-17:30; Sa 10:00-12:00', came: '"sometimes"' },
  });
  expect(parseSetting('AV_TIME_ZONE', 'Mars/Olympus')).toMatchObject({ kind: 'problem' });
  expect(parseSetting('AV_TIME_ZONE', 'Asia/Kathmandu')).toEqual({ kind: 'value', value: 'Asia/Kathmandu' });
});
