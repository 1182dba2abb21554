/** Work that has time: a child process that gets processor and disk only when nobody else wants them. */
import { spawn } from 'node:child_process';
import { passedEnvironment } from '#device/media/host-process.ts';

export type LowPriorityOutcome =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stopped' };

const longestOutput = 4096;
/** gst-launch-1.0 has been seen to hang for ever after its own error: in one of eight trials with a file that it cannot read. */
const afterErrorMs = 2000;
const longestReason = 300;

export type LowPriorityWork = {
  readonly command: readonly string[];
  /** File names in the command are of this directory: no path is ever part of an argument. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly boundMs: number;
};

/** `nice` and `ionice` are part of every Debian; each becomes the next program, so there is one process to end. Where priorities may not be set the work is done all the same. */
export function runAtLowPriority({ command, directory, signal, boundMs }: LowPriorityWork): Promise<LowPriorityOutcome> {
  if (signal.aborted) return Promise.resolve({ kind: 'stopped' });
  return new Promise((resolve) => {
    const child = spawn('nice', ['-n', '19', 'ionice', '-t', '-c', '3', ...command], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: passedEnvironment(),
    });
    let output = '';
    let complaints = '';
    const end = (): void => void child.kill('SIGKILL');
    let afterError: NodeJS.Timeout | null = null;
    child.stdout.on('data', (chunk) => {
      output = `${output}${String(chunk)}`.slice(-longestOutput);
    });
    child.stderr.on('data', (chunk) => {
      complaints = `${complaints}${String(chunk)}`.slice(-longestOutput);
      if (complaints.includes('ERROR')) afterError ??= setTimeout(end, afterErrorMs);
    });
    let isLate = false;
    const bound = setTimeout(() => {
      isLate = true;
      end();
    }, boundMs);
    signal.addEventListener('abort', end, { once: true });
    const settle = (outcome: LowPriorityOutcome): void => {
      clearTimeout(bound);
      if (afterError !== null) clearTimeout(afterError);
      signal.removeEventListener('abort', end);
      resolve(outcome);
    };
    child.once('error', (cause) => settle({ kind: 'failed', reason: `${command[0]} cannot be started: ${cause.message}` }));
    child.once('close', (code, killedBy) => {
      if (signal.aborted) settle({ kind: 'stopped' });
      else if (isLate) settle({ kind: 'failed', reason: `${command[0]} was not done within ${Math.round(boundMs / 60_000)} min` });
      else if (code === 0) settle({ kind: 'done', output });
      else settle({ kind: 'failed', reason: `${command[0]}: ${lastWords(complaints) || killedBy || `exit code ${code}`}` });
    });
  });
}

function lastWords(complaints: string): string {
  const lines = complaints.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => line.includes('ERROR')) ?? lines.at(-1) ?? '').slice(0, longestReason);
}
