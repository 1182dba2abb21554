/** The machine's processes, read from /proc: what belongs to a system under test, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';

export type FoundProcess = { readonly pid: number; readonly commandLine: string };

/** Processes that have `text` in their arguments or environment. */
export function processesWith(text: string): readonly FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), commandLine: readProcFile(name, 'cmdline'), environment: readProcFile(name, 'environ') }))
    .filter(({ commandLine, environment }) => `${commandLine}\n${environment}`.includes(text))
    .map(({ pid, commandLine }) => ({ pid, commandLine }));
}

/** The one process of the system in `folder` whose arguments hold `program`. */
export function processOf(folder: string, program: string): number | undefined {
  return processesWith(folder).find(({ commandLine }) => commandLine.includes(program))?.pid;
}

/** One that has ended by itself in this moment is well, too. */
export function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

/** Of all that `processesWith` finds. */
export function endProcessesWith(text: string, signal: NodeJS.Signals): void {
  for (const { pid } of processesWith(text)) endProcess(pid, signal);
}

export function isRunning(pid: number): boolean {
  return readProcFile(String(pid), 'cmdline') !== '';
}

function readProcFile(pid: string, name: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ').trim();
  } catch (cause) {
    // It ended between the listing and the reading, or is not ours to look at.
    if (cause instanceof Error && 'code' in cause && ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(cause.code))) return '';
    throw cause;
  }
}
