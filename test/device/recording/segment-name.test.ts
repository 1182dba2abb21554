import { expect, test } from 'vitest';
import { compareNames, parseRecordingFile, recordingName, startOfRecording } from '#device/recording/segment-name.ts';

const tenOClock = Date.parse('2026-11-21T10:00:00.900Z');

test('a name is the second in UTC at which the recording begins, and a number where that is not enough', () => {
  expect(recordingName(tenOClock)).toBe('2026-11-21T10-00-00Z');
  expect(recordingName(tenOClock, 2)).toBe('2026-11-21T10-00-00Z-2');
  expect(startOfRecording('2026-11-21T10-00-00Z-2')).toBe(Date.parse('2026-11-21T10:00:00Z'));
});

test.each([
  ['2026-11-21T10-00-00Z.flv', { name: '2026-11-21T10-00-00Z', format: 'flv' }],
  ['2026-11-21T10-00-00Z-12.mp4', { name: '2026-11-21T10-00-00Z-12', format: 'mp4' }],
  ['2026-11-21T10-00-00Z.mp4.part', null],
  ['2026-13-41T10-00-00Z.flv', null],
  ['holiday.mp4', null],
  ['index.json', null],
  ['.flv', null],
  ['', null],
])('%s', (fileName, file) => {
  expect(parseRecordingFile(fileName)).toEqual(file);
});

test('names sort as time does, and namesakes by their number', () => {
  const sorted = ['2026-11-21T09-59-59Z', '2026-11-21T10-00-00Z', '2026-11-21T10-00-00Z-2', '2026-11-21T10-00-00Z-10'];
  expect(sorted.toReversed().toSorted(compareNames)).toEqual(sorted);
});
