import { expect, test } from 'vitest';
import type { ReportLine } from './report.ts';
import { ReportPrinter } from './report-printer.ts';

const played = [
  { name: 'detection', title: 'cameras are found' },
  { name: 'sound', title: 'a tone is heard' },
];

function print(lines: readonly (ReportLine | string)[], broken: string | null = null): { readonly isGood: boolean; readonly said: string } {
  const said: string[] = [];
  const printer = new ReportPrinter(played, (line) => said.push(line));
  for (const line of lines) printer.add(typeof line === 'string' ? line : JSON.stringify(line));
  return { isGood: printer.finish(broken), said: said.join('\n') };
}

const ended = (scenario: string, outcome: 'passed' | 'failed' | 'skipped', reason?: string): ReportLine => ({
  kind: 'scenario-ended',
  scenario,
  outcome,
  tookMs: 1000,
  ...(reason === undefined ? {} : { reason }),
});
const finished: ReportLine = { kind: 'finished' };

test('all passed, one skipped for a reason: good', () => {
  const { isGood, said } = print([ended('detection', 'passed'), ended('sound', 'skipped', 'no ears'), finished]);
  expect(isGood).toBe(true);
  expect(said).toContain('skipped, 1 s: no ears');
  expect(said).toContain('The laboratory: 1 passed, 0 failed, 1 skipped');
});

test('a wrong check says what came, and one failure is enough', () => {
  const check: ReportLine = { kind: 'check', scenario: 'sound', what: 'the tone is heard', isRight: false, came: '-91' };
  const { isGood, said } = print([ended('detection', 'passed'), check, ended('sound', 'failed', 'not so'), finished]);
  expect(isGood).toBe(false);
  expect(said).toContain('NOT SO  the tone is heard; came: -91');
});

test('what was not played is no success', () => {
  const { isGood, said } = print([ended('detection', 'passed')], 'expected a line from the machine within 5 ms');
  expect(isGood).toBe(false);
  expect(said).toContain('Not played: sound (expected a line from the machine within 5 ms)');
  expect(print([ended('detection', 'passed'), finished]).isGood).toBe(false);
});

test('a machine that ended by itself before it had finished is no success', () => {
  expect(print([ended('detection', 'passed'), ended('sound', 'passed')]).isGood).toBe(false);
});

test('lines that are none of ours are passed over', () => {
  const strange = ['SeaBIOS (version 1.16)', '{"kind":"check"}', '{"kind":"scenario-ended","scenario":"sound","outcome":"fine"}', ''];
  expect(print([...strange, ended('detection', 'passed'), ended('sound', 'passed'), finished]).isGood).toBe(true);
});
