/**
 * A camera that is pulled out and put in again, on the kernel's own drivers: the laboratory's scenario, where it can be played. Figures are
 * in the time of its emulated machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkRequirements, Unavailable } from '../lab/requirements.ts';
import { backWithinMs, readReturns } from '../lab/returns.ts';
import type { FigureSheet } from './figure-sheet.ts';
import { quantile } from './media-host-kills.ts';

const what = 'camera pulled out and put in again';
const laboratory = join(import.meta.dirname, '..', 'lab', 'main.ts');

export async function printReplugs(sheet: FigureSheet): Promise<void> {
  try {
    await checkRequirements();
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
    sheet.leftOut(what, `because the laboratory cannot be opened here: ${cause.message}`);
    return;
  }
  const child = spawn(process.execPath, [laboratory, 'camera-unplugged'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  for await (const chunk of child.stdout) said += String(chunk);
  const [code] = await exited;
  printReturns(sheet, said, Number(code ?? 1));
}

/** `said`: all that the laboratory printed; `code`: its exit code. */
export function printReturns(sheet: FigureSheet, said: string, code: number): void {
  const skipped = /^The laboratory is skipped: (.*)$/m.exec(said)?.[1];
  if (skipped !== undefined) {
    sheet.leftOut(what, skipped);
    return;
  }
  const sortedMs = readReturns(said).toSorted((one, other) => one - other);
  if (sortedMs.length > 0) {
    const slowestMs = quantile(sortedMs, 1);
    sheet.print(`${what}: seen by a viewer (median of ${sortedMs.length})`, `${quantile(sortedMs, 0.5)} ms`);
    sheet.print('  the slowest', `${slowestMs} ms`, { words: `at most ${backWithinMs / 1000} s`, isMet: slowestMs <= backWithinMs });
  }
  const isPassed = code === 0 && sortedMs.length > 0;
  sheet.print('  the scenario as a whole', isPassed ? 'passed' : 'failed', { words: 'passed', isMet: isPassed });
  if (!isPassed) for (const line of said.trimEnd().split('\n')) sheet.tell(line);
}
