/**
 * Runs a program that measures in a temporary folder of its own, and afterwards ends what it started there and removes the folder: also when it
 * failed, was interrupted or was killed. Arguments: the program, its arguments. Ends as the program did.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcessesWith, processesWith } from './processes.ts';
import { until } from './until.ts';

/** What a program takes at most to end in order: a fleet server ends its relay, which is nowhere else to be found. */
const orderlyMs = 15_000;
const killedMs = 10_000;

async function endAll(folder: string): Promise<void> {
  const isNobodyLeft = () => processesWith(folder).length === 0;
  endProcessesWith(folder, 'SIGTERM');
  await until('all to end in order', orderlyMs, isNobodyLeft).catch(() =>
    until('all to be killed', killedMs, () => {
      endProcessesWith(folder, 'SIGKILL');
      return isNobodyLeft();
    }),
  );
}

const [program, ...rest] = process.argv.slice(2);
if (program === undefined) throw new Error('expected a program to run, got none');
const folder = await mkdtemp(join(tmpdir(), 'msl-measures-'));
const child = spawn(process.execPath, [...process.execArgv, program, ...rest], {
  stdio: 'inherit',
  env: { ...process.env, TMPDIR: folder },
});
// A terminal's Ctrl-C reaches the program by itself as well.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal));
process.exitCode = await new Promise<number>((resolve, reject) => {
  child.on('error', reject);
  child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
});
await endAll(folder);
await rm(folder, { recursive: true, force: true });
