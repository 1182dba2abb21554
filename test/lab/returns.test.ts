import { expect, test } from 'vitest';
import { FigureSheet } from '../bench/figure-sheet.ts';
import { printReturns } from '../bench/replug-figures.ts';
import { ReportPrinter } from './report-printer.ts';
import { describeReturn, readReturns } from './returns.ts';

const scenario = 'camera-unplugged';

/** As the laboratory prints it. */
function laboratory(times: readonly number[]): string {
  const lines: string[] = [];
  const printer = new ReportPrinter([{ name: scenario, title: 'a camera' }], (line) => lines.push(line));
  for (const [index, tookMs] of times.entries()) {
    const what = describeReturn(`/dev/video${index}`, tookMs);
    printer.add(JSON.stringify({ kind: 'check', scenario, what, isRight: tookMs <= 3000, came: String(tookMs) }));
  }
  printer.finish(null);
  return `${lines.join('\n')}\n`;
}

function sheetOf(said: string, code: number) {
  let text = '';
  const sheet = new FigureSheet((more) => {
    text += more;
  });
  printReturns(sheet, said, code);
  return { exitCode: sheet.finish(), text };
}

test('what the scenario says is what the bench reads', () => {
  expect(readReturns(laboratory([423, 341, 3456]))).toEqual([423, 341, 3456]);
});

test('all in time: the bars are met', () => {
  const { exitCode, text } = sheetOf(laboratory([423, 341, 328]), 0);
  expect(text).toMatch(/seen by a viewer \(median of 3\) +341 ms\n +the slowest +423 ms +bar: at most 3 s\n.*passed/);
  expect(text).toContain('2 bars, all met');
  expect(exitCode).toBe(0);
});

test.each([
  ['one too late', laboratory([423, 3456]), 1, /3456 ms +bar: at most 3 s, MISSED/],
  ['failed in another respect', laboratory([423]), 1, /failed +bar: passed, MISSED/],
  ['nothing said', 'The laboratory: 0 passed', 0, /failed +bar: passed, MISSED/],
])('%s: a bar is missed, and what was said is shown', (_name, said, code, expected) => {
  const { exitCode, text } = sheetOf(said, code);
  expect(text).toMatch(expected);
  expect(text).toContain(said.trimEnd().split('\n').at(-1));
  expect(exitCode).toBe(1);
});

test('where the laboratory cannot be opened one line says why, and no bar is missed', () => {
  const { exitCode, text } = sheetOf('The laboratory is skipped: not installed: qemu-system-x86.\n', 0);
  expect(text).toBe('camera pulled out and put in again: left out, not installed: qemu-system-x86.\n0 bars, all met\n');
  expect(exitCode).toBe(0);
});
