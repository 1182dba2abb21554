/** One line of the doctor's report. Pure. */

export type CheckState = 'pass' | 'warn' | 'fail';

export type Check = {
  /** What was looked at, in one or two words. */
  readonly subject: string;
  readonly state: CheckState;
  /** What was found. Never a secret. */
  readonly detail: string;
  /** What to do; empty when nothing. */
  readonly advice: string;
};

export function pass(subject: string, detail: string): Check {
  return { subject, state: 'pass', detail, advice: '' };
}

export function warn(subject: string, detail: string, advice: string): Check {
  return { subject, state: 'warn', detail, advice };
}

export function fail(subject: string, detail: string, advice: string): Check {
  return { subject, state: 'fail', detail, advice };
}

const subjectWidth = 14;

export function checkLine({ subject, state, detail, advice }: Check): string {
  const line = `${state}  ${subject.padEnd(subjectWidth)}  ${detail}`;
  return advice === '' ? line : `${line}\n      ${''.padEnd(subjectWidth)}  ${advice}`;
}

export function summaryLine(checks: readonly Check[]): string {
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const parts = [`${count('pass')} pass`, `${count('warn')} warn`, `${count('fail')} fail`];
  return parts.join(', ');
}

/** Warnings are no failure: a device without a microphone streams. */
export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some(({ state }) => state === 'fail') ? 1 : 0;
}
