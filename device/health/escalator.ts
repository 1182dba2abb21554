/** Looks after the stream every other second, and takes the steps that the policy asks for: kept on disk first, said, then done. */
import {
  type EscalationAction,
  EscalationMemory,
  type EscalationState,
  type EscalationStep,
  escalate,
  type Observation,
  startEscalation,
} from '#device/health/escalation.ts';
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';

export const lookIntervalMs = 2000;
const memoryFile = stateFile('escalation.json', EscalationMemory, { reservedBytes: 4096 });

export type EscalatorOptions = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn' | 'error'>;
  readonly state: Pick<StateDirectory, 'read' | 'write' | 'reserve'>;
  readonly bootId: string;
  readonly observe: () => Omit<Observation, 'bootId' | 'monotonicMs' | 'wallMs'>;
  readonly record: (kind: string, detail: string) => void;
  readonly steps: { readonly [Step in EscalationStep]: (cause: string) => Promise<unknown> };
};

const events: { readonly [Step in EscalationStep]: string } = {
  'media-host': 'media-host-replaced',
  agent: 'agent-restarted',
  reboot: 'board-restarted',
};

export class Escalator {
  readonly #options: EscalatorOptions;
  #state: EscalationState;
  #cancel: (() => void) | null = null;
  #isRunning = false;

  constructor(options: EscalatorOptions) {
    this.#options = options;
    this.#state = startEscalation(null, options.clock.monotonicMs());
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    const { state, clock } = this.#options;
    await state.reserve(memoryFile);
    this.#state = startEscalation(await state.read(memoryFile), clock.monotonicMs());
    this.#schedule();
  }

  /** May be called twice. */
  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    if (!this.#isRunning) return;
    this.#cancel = this.#options.clock.schedule(() => {
      this.#look()
        .catch((cause: unknown) => this.#options.log.error(`cannot look after the stream: ${errorText(cause)}`))
        .finally(() => this.#schedule());
    }, lookIntervalMs);
  }

  async #look(): Promise<void> {
    const { clock, bootId, observe, steps, record, log } = this.#options;
    const before = this.#state;
    const seen: Observation = { ...observe(), bootId, monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
    const { state, action } = escalate(before, seen);
    this.#state = state;
    const isNews = JSON.stringify(state.memory) !== JSON.stringify(before.memory);
    const isKept = !isNews || (await this.#keep(state.memory));
    if (action === null || !this.#isRunning) return;
    if (!isKept && action.step !== 'media-host') {
      // A step that ends this process must be remembered by the next one, or it would be taken without a bound.
      log.warn(`not taken, because the disk cannot be written: ${describe(action)}`);
      return;
    }
    log.warn(describe(action));
    record(events[action.step], action.cause);
    await steps[action.step](action.cause);
  }

  async #keep(memory: EscalationMemory): Promise<boolean> {
    try {
      await this.#options.state.write(memoryFile, memory);
      return true;
    } catch (cause) {
      this.#options.log.warn(`cannot keep on disk what was done about the stream (${errorText(cause)})`);
      return false;
    }
  }
}

function describe({ step, cause }: EscalationAction): string {
  switch (step) {
    case 'media-host':
      return `the media host is replaced: ${cause}`;
    case 'agent':
      return `the agent ends, to be started anew: ${cause}`;
    case 'reboot':
      return `the board is restarted: ${cause}`;
    default:
      return step satisfies never;
  }
}
