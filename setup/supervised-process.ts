/**
 * A program that is kept running: started again when it ends, with a growing delay, until it is told to stop.
 *
 * INVARIANTS
 * - Each run has a process group of its own, so that a Ctrl-C in the terminal reaches only the supervisor, which stops its
 *   programs in order, and so that what a killed program leaves behind can be found and ended.
 * - After `stop()` no process of any run is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const shortestDelayMs = 200;
const longestDelayMs = 10_000;
/** A run that lasted this long counts as good: the next delay is the shortest again. */
const goodRunMs = 60_000;
const softStopMs = 8000;
/** Groups of earlier runs that may still have members, a media host that outlived its agent for one. */
const maxRememberedGroups = 64;

export type ProcessExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type SupervisedProcessOptions = {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Asked before each run: what a first run needs (a join token) a later one may not. */
  readonly environment: () => Promise<NodeJS.ProcessEnv>;
  readonly onMessage: (message: unknown) => void;
  /** Called before a restart is due; an answer of false ends the supervision. */
  readonly onExit: (exit: ProcessExit, restartInMs: number) => boolean;
};

type Run = { readonly child: ChildProcess; readonly startedAtMs: number; readonly ended: Promise<void> };

export class SupervisedProcess {
  readonly #options: SupervisedProcessOptions;
  readonly #groups: number[] = [];
  #run: Run | undefined;
  #restart: NodeJS.Timeout | undefined;
  #delayMs = shortestDelayMs;
  #stopping = false;

  constructor(options: SupervisedProcessOptions) {
    this.#options = options;
  }

  processId(): number | undefined {
    return this.#run?.child.pid;
  }

  send(message: Record<string, unknown>): void {
    if (this.#run?.child.connected === true) this.#run.child.send(message);
  }

  /** At once, also when a restart is due later; nothing when it runs. */
  async start(): Promise<void> {
    clearTimeout(this.#restart);
    if (this.#run !== undefined) return;
    const { command, environment, onMessage } = this.#options;
    const [program, ...args] = command;
    const env = await environment();
    if (this.#stopping) return;
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true, env });
    if (child.pid !== undefined) this.#groups.push(child.pid);
    if (this.#groups.length > maxRememberedGroups) this.#groups.shift();
    child.on('message', onMessage);
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', (code, signal) => {
        resolve();
        this.#ended({ code, signal });
      });
    });
    this.#run = { child, startedAtMs: performance.now(), ended };
  }

  #ended(exit: ProcessExit): void {
    const ranMs = performance.now() - (this.#run?.startedAtMs ?? 0);
    const group = this.#run?.child.pid;
    this.#run = undefined;
    // A group without members is forgotten at once: its number may be given to somebody else's.
    if (group !== undefined && !signalGroup(group, 0)) this.#groups.splice(this.#groups.indexOf(group), 1);
    if (this.#stopping) return;
    if (ranMs >= goodRunMs) this.#delayMs = shortestDelayMs;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, longestDelayMs);
    if (!this.#options.onExit(exit, delayMs)) return;
    this.#restart = setTimeout(() => {
      this.start().catch((cause: unknown) => this.#failedToStart(cause));
    }, delayMs);
  }

  #failedToStart(cause: unknown): void {
    process.stderr.write(
      `MakeSpaceLive: ${this.#options.name} could not be started: ${cause instanceof Error ? cause.message : String(cause)}\n`,
    );
    this.#ended({ code: null, signal: null });
  }

  /** Soft signal, bounded wait, hard kill, await the exit; then whatever earlier runs left behind. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const run = this.#run;
    if (run !== undefined) {
      run.child.kill('SIGTERM');
      const hardKill = setTimeout(() => run.child.kill('SIGKILL'), softStopMs);
      await run.ended;
      clearTimeout(hardKill);
    }
    for (const group of this.#groups.splice(0)) signalGroup(group, 'SIGKILL');
  }
}

/** Whether the group has a member; signal 0 only asks. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ESRCH') return false;
    throw cause;
  }
}
