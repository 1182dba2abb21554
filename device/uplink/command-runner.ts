/** Does commands, one after the other, each once, and tells the result when it has really happened. */
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import { errorText } from '#device/state/state-directory.ts';
import type { CommandJournal } from '#device/uplink/command-journal.ts';
import { checkArguments } from '#protocol/command-arguments.ts';
import { type CommandArguments, type CommandKind, isCommandKind } from '#protocol/commands.ts';
import type { Command, CommandProgress, CommandResult } from '#protocol/messages.ts';
import type { RecordingsPage } from '#protocol/recordings.ts';

const maxWaitingCommands = 20;
/** After a write that failed: what is on no disk would be done a second time after a power cut. */
const keepAgainMs = 5000;
/** What a person would begin to wonder about. Most commands are done by then, and cost the server one message as before. */
const firstProgressMs = 1000;
/** Again and again, whether there is news or not: what was lost on the way comes again. */
const progressEveryMs = 5000;

/** What became of an action. `lines`: what was found, where somebody asked for that. */
export type ActionOutcome =
  | (ApplyOutcome & { readonly lines?: readonly string[]; readonly recordings?: RecordingsPage })
  /** Nothing was done, and will not be: the reason says what stands against it. */
  | { readonly kind: 'refused'; readonly reason: string };

/** How far an action is, in a few words. */
export type SayProgress = (detail: string) => void;
export type CommandActions = {
  readonly [K in CommandKind]: (given: CommandArguments<K>, say: SayProgress) => Promise<ActionOutcome>;
};

/** What ends by being done is answered by whoever comes after it. */
const endings: { readonly [K in CommandKind]?: 'agent' | 'board' } = { 'restart-agent': 'agent', reboot: 'board' };

const maxDetailLength = 500;
const maxProgressLength = 200;
const maxLines = 60;

export type CommandRunnerOptions = {
  readonly journal: CommandJournal;
  readonly clock: Clock;
  readonly log: Log;
  readonly actions: CommandActions;
  readonly onProgress: (progress: CommandProgress) => void;
  readonly onResult: (result: CommandResult) => void;
};

type WaitingCommand = {
  readonly id: string;
  readonly kind: CommandKind;
  readonly deadlineMs: number;
  readonly action: (say: SayProgress) => Promise<ActionOutcome>;
};

export class CommandRunner {
  readonly #options: CommandRunnerOptions;
  #waiting: WaitingCommand[] = [];
  #worker: Promise<void> | null = null;
  #cancelKeeping: (() => void) | null = null;
  #cancelProgress: () => void = () => undefined;
  #isStopped = false;

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const result of await this.#options.journal.start()) this.#options.onResult(result);
  }

  /** What waits is not begun any more; it was not done, and the server hears nothing of it until its deadline. What a disk refused is written once more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting = [];
    this.#cancelProgress();
    if (this.#cancelKeeping === null) return;
    this.#cancelKeeping();
    this.#cancelKeeping = null;
    await this.#options.journal.keep().catch((cause: unknown) => {
      this.#options.log.warn(`cannot keep on disk which commands were done (${errorText(cause)})`);
    });
  }

  receive(command: Command, timeLeftMs: number): void {
    const { id, kind } = command;
    const sighting = this.#options.journal.find(id);
    if (sighting.kind === 'done') this.#options.onResult(sighting.result);
    if (sighting.kind !== 'new' || this.#waiting.some((waiting) => waiting.id === id)) return;
    if (!isCommandKind(kind)) {
      this.#settle({ id, outcome: 'refused', detail: `this agent does not know the command ${kind}` });
    } else if (!(timeLeftMs > 0)) {
      this.#settle({ id, outcome: 'expired', detail: 'it came after its deadline' });
    } else if (this.#waiting.length >= maxWaitingCommands) {
      this.#settle({ id, outcome: 'refused', detail: `${maxWaitingCommands} other commands wait already` });
    } else {
      this.#accept(id, kind, command.arguments, timeLeftMs);
    }
  }

  #accept<K extends CommandKind>(id: string, kind: K, given: unknown, timeLeftMs: number): void {
    const checked = checkArguments(kind, given);
    if (checked.kind === 'problem') {
      this.#settle({ id, outcome: 'refused', detail: checked.problem });
      return;
    }
    const deadlineMs = this.#options.clock.monotonicMs() + timeLeftMs;
    this.#waiting.push({ id, kind, deadlineMs, action: (say) => this.#options.actions[kind](checked.arguments, say) });
    this.#worker ??= this.#run();
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const result = await this.#do(next);
      if (result.outcome === 'done') this.#options.log.info(`command ${next.kind} done`);
      else this.#options.log.warn(`command ${next.kind} ${result.outcome}: ${result.detail}`);
      this.#settle(result);
      this.#waiting = this.#waiting.filter(({ id }) => id !== next.id);
    }
    this.#worker = null;
  }

  async #do({ id, kind, deadlineMs, action }: WaitingCommand): Promise<CommandResult> {
    const { journal, clock, log } = this.#options;
    const timeLeftMs = deadlineMs - clock.monotonicMs();
    if (timeLeftMs <= 0) return { id, outcome: 'expired', detail: 'its deadline passed while others were being done' };
    const ends = endings[kind] ?? null;
    try {
      await journal.begin(id, ends);
    } catch (cause) {
      // Nobody would remember that it was done: it would be delivered, and done, again and again.
      if (ends !== null) return { id, outcome: 'failed', detail: `the device cannot write down that it did this (${errorText(cause)})` };
      // A card that is full or read-only is one of the reasons for which somebody restarts a pipeline from afar.
      log.warn(`cannot keep the command’s id on disk (${errorText(cause)}): it is done all the same`);
      this.#keepAgain();
    }
    let cancel: () => void = () => undefined;
    const late = new Promise<ActionOutcome>((resolve) => {
      cancel = clock.schedule(() => resolve({ kind: 'failed', reason: 'not finished at its deadline' }), timeLeftMs);
    });
    const outcome = await Promise.race([action(this.#tellProgress(id)).catch(unforeseen), late]);
    this.#cancelProgress();
    cancel();
    return toResult(id, outcome);
  }

  /** Until it is cancelled. What the action says goes with the next word, not at once. */
  #tellProgress(id: string): SayProgress {
    const { clock, onProgress } = this.#options;
    const begunMs = clock.monotonicMs();
    let detail = '';
    const tellIn = (delayMs: number): void => {
      this.#cancelProgress = clock.schedule(() => {
        onProgress({ id, elapsedMs: Math.round(clock.monotonicMs() - begunMs), detail });
        tellIn(progressEveryMs);
      }, delayMs);
    };
    if (!this.#isStopped) tellIn(firstProgressMs);
    return (words) => {
      detail = words.slice(0, maxProgressLength);
    };
  }

  #settle(result: CommandResult): void {
    this.#options.journal.finish(result).catch((cause: unknown) => {
      this.#options.log.warn(`cannot keep a command’s result on disk (${errorText(cause)})`);
      this.#keepAgain();
    });
    this.#options.onResult(result);
  }

  #keepAgain(): void {
    if (this.#isStopped) return;
    this.#cancelKeeping ??= this.#options.clock.schedule(() => {
      this.#cancelKeeping = null;
      this.#options.journal.keep().catch(() => this.#keepAgain());
    }, keepAgainMs);
  }
}

function unforeseen(cause: unknown): ActionOutcome {
  return { kind: 'failed', reason: errorText(cause) };
}

function toResult(id: string, outcome: ActionOutcome): CommandResult {
  switch (outcome.kind) {
    case 'applied': {
      const lines = outcome.lines?.slice(0, maxLines).map((line) => line.slice(0, maxDetailLength));
      const detail = (outcome.detail ?? 'frames are coming').slice(0, maxDetailLength);
      const { recordings } = outcome;
      return {
        id,
        outcome: 'done',
        detail,
        ...(lines === undefined ? {} : { lines }),
        ...(recordings === undefined ? {} : { recordings }),
      };
    }
    case 'failed':
      return { id, outcome: 'failed', detail: outcome.reason.slice(0, maxDetailLength) };
    case 'refused':
      return { id, outcome: 'refused', detail: outcome.reason.slice(0, maxDetailLength) };
    default:
      return outcome satisfies never;
  }
}
