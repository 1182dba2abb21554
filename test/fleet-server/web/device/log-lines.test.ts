import { expect, test } from 'vitest';
import { isShown, logEntry, logFileName, maxLogLines, withNewLines } from '#fleet-server/web/device/log-lines.ts';
import type { DeviceLog } from '#protocol/model/log.ts';

const log = (from: number, ...texts: readonly string[]): DeviceLog => ({
  lines: texts.map((text, index) => ({ number: from + index, text })),
  next: from + texts.length - 1,
});
const texts = (answer: DeviceLog) => answer.lines.map(({ text }) => text);

test('what comes is put behind what was there, and nothing new changes nothing', () => {
  const first = withNewLines(undefined, log(1, 'a', 'b'));
  const second = withNewLines(first, log(3, 'c'));
  expect(texts(second)).toEqual(['a', 'b', 'c']);
  expect(withNewLines(second, { lines: [], next: 3 })).toEqual(second);
});

test('a server that was started anew numbers from 1 again: what it has is all there is', () => {
  expect(texts(withNewLines(log(40, 'a', 'b'), log(1, 'c')))).toEqual(['c']);
  expect(texts(withNewLines(log(1, 'a', 'b'), log(1, 'c', 'd', 'e')))).toEqual(['c', 'd', 'e']);
});

test('a line that the device sends again stands once, where it came last', () => {
  expect(texts(withNewLines(log(1, 'a', 'b'), log(3, 'a', 'b', 'c')))).toEqual(['a', 'b', 'c']);
});

test('is bounded: the oldest go', () => {
  const many = log(1, ...Array.from({ length: maxLogLines + 5 }, (_, index) => `line ${index}`));
  const kept = withNewLines(undefined, many);
  expect(kept.lines).toHaveLength(maxLogLines);
  expect(kept.lines.at(-1)?.text).toBe(`line ${maxLogLines + 4}`);
});

test.for([
  [
    '{"level":"warn","time":"2026-11-28T01:00:00.000Z","msg":"no camera"}',
    { level: 'warn', at: '2026-11-28T01:00:00.000Z', message: 'no camera' },
  ],
  ['{"level":"fatal","msg":"ends","code":3}', { level: 'error', at: null, message: 'ends {"code":3}' }],
  ['{"level":"info","time":"today","msg":"x"}', { level: 'info', at: null, message: 'x' }],
  ['(12 lines were left out)', { level: 'info', at: null, message: '(12 lines were left out)' }],
  ['null', { level: 'info', at: null, message: 'null' }],
] as const)('%s', ([text, expected]) => {
  expect(logEntry({ number: 7, text })).toEqual({ number: 7, ...expected });
});

test('is filtered by level and by words', () => {
  const entry = logEntry({ number: 1, text: '{"level":"warn","msg":"The Camera is gone"}' });
  expect(isShown(entry, 'warn', ' camera ')).toBe(true);
  expect(isShown(entry, 'error', '')).toBe(false);
  expect(isShown(entry, 'debug', 'sound')).toBe(false);
});

test('a file has a name that every system takes', () => {
  expect(logFileName('Hörsaal 1/Nord', Date.UTC(2026, 10, 28, 1, 2, 3))).toBe('H-rsaal-1-Nord-log-2026-11-28T01-02-03Z.txt');
  expect(logFileName('…', 0)).toBe('device-log-1970-01-01T00-00-00Z.txt');
});
