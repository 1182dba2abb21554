/** Plays scenarios inside the virtual machine, one after the other, and tells each step as a line of JSON on stdout. */
import { mkdtemp, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReportLine } from '../report.ts';
import { type Laboratory, type Scenario, ScenarioSkipped } from '../scenario.ts';
import { scenarios } from '../scenarios.ts';

const outputFolder = '/lab-output';
const longestText = 2000;
/** To undo what a scenario has done. */
const tidyBoundMs = 20_000;

function tell(line: ReportLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function play(scenario: Scenario): Promise<void> {
  const { name } = scenario;
  tell({ kind: 'scenario-began', scenario: name });
  const begin = performance.now();
  const folder = await mkdtemp(join(tmpdir(), `lab-${name}-`));
  const undos: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const laboratory: Laboratory = {
    folder,
    logFile: (file) => join(outputFolder, `${name}.${file}.log`),
    check(what, isRight, came) {
      tell({ kind: 'check', scenario: name, what, isRight, ...(came === undefined ? {} : { came: textOf(came) }) });
      if (!isRight) throw new Error(`not so: ${what}`);
    },
    figure(what, value, unit, aim) {
      tell({ kind: 'figure', scenario: name, what, value, unit, ...(aim === undefined ? {} : { aim }) });
    },
    undoLater: (undo) => undos.unshift(undo),
  };
  const failure = await outcomeOf(scenario.run(laboratory), scenario.boundMs);
  const tidyFailure = await outcomeOf(tidy(undos), tidyBoundMs);
  const reason = failure ?? tidyFailure;
  const outcome = reason === null ? 'passed' : reason instanceof ScenarioSkipped ? 'skipped' : 'failed';
  const said = reason === null ? {} : { reason: reason.message.slice(0, longestText) };
  tell({ kind: 'scenario-ended', scenario: name, outcome, ...said, tookMs: Math.round(performance.now() - begin) });
  if (outcome === 'failed') process.stderr.write(`${reason?.stack}\n`);
}

async function tidy(undos: readonly (() => unknown)[]): Promise<void> {
  for (const undo of undos) await undo();
}

/** Null when all went well. */
async function outcomeOf(work: Promise<void>, boundMs: number): Promise<Error | null> {
  const bound = new AbortController();
  const late = delay(boundMs, undefined, { signal: bound.signal }).then(
    () => new Error(`expected it to be over within ${boundMs} ms`),
    () => null,
  );
  const done = work.then(
    () => null,
    (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))),
  );
  const outcome = await Promise.race([done, late]);
  bound.abort();
  return outcome;
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, longestText);
}

const names = (process.argv[2] ?? '').split(',');
tell({ kind: 'ready', kernel: release() });
for (const scenario of scenarios.filter(({ name }) => names.includes(name))) await play(scenario);
tell({ kind: 'finished' });
// A scenario that failed may have left something behind that would keep us.
process.exit(0);
