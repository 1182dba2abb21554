/** What a person reads of the machine's lines, and whether all is well. */
import { parseReportLine, type ReportLine } from './report.ts';
import type { Scenario } from './scenario.ts';

type Ended = Extract<ReportLine, { readonly kind: 'scenario-ended' }>;

const marks = { passed: 'ok', failed: 'FAILED', skipped: 'skipped' } as const;

export class ReportPrinter {
  readonly #expected: readonly Pick<Scenario, 'name' | 'title'>[];
  readonly #say: (line: string) => void;
  readonly #ended: Ended[] = [];
  #isFinished = false;

  constructor(expected: readonly Pick<Scenario, 'name' | 'title'>[], say: (line: string) => void) {
    this.#expected = expected;
    this.#say = say;
  }

  add(text: string): void {
    const line = parseReportLine(text);
    switch (line?.kind) {
      case undefined:
        // The firmware's or a driver's words.
        return;
      case 'ready':
        this.#say(`  the machine runs, kernel ${line.kernel}`);
        return;
      case 'scenario-began':
        this.#say(`${line.scenario}: ${this.#expected.find(({ name }) => name === line.scenario)?.title ?? ''}`);
        return;
      case 'check':
        this.#say(
          `  ${line.isRight ? 'ok' : 'NOT SO'}  ${line.what}${line.isRight || line.came === undefined ? '' : `; came: ${line.came}`}`,
        );
        return;
      case 'figure':
        this.#say(`      ${line.what}: ${line.value} ${line.unit}${line.aim === undefined ? '' : ` (aim: ${line.aim})`}`);
        return;
      case 'scenario-ended':
        this.#ended.push(line);
        this.#say(`  ${marks[line.outcome]}, ${(line.tookMs / 1000).toFixed(0)} s${line.reason === undefined ? '' : `: ${line.reason}`}`);
        return;
      case 'finished':
        this.#isFinished = true;
        return;
      default:
        line satisfies never;
    }
  }

  /** Sums up. `broken`: why the machine did not get to its end. True when each scenario passed or was skipped for a reason. */
  finish(broken: string | null): boolean {
    const count = (outcome: Ended['outcome']) => this.#ended.filter((ended) => ended.outcome === outcome).length;
    const unplayed = this.#expected.filter(({ name }) => !this.#ended.some(({ scenario }) => scenario === name));
    const isComplete = this.#isFinished && unplayed.length === 0;
    if (!isComplete) {
      const why = broken ?? 'the machine switched off before the end';
      this.#say(`Not played: ${unplayed.map(({ name }) => name).join(', ')} (${why})`);
    }
    this.#say(`The laboratory: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
    return isComplete && count('failed') === 0;
  }
}
