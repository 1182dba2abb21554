/**
 * Keeps one nginx running: adopts the one that is there or starts one, and starts another whenever it is gone.
 *
 * INVARIANT: before a new nginx is started nothing is left of the old one, workers included: an orphaned worker keeps the port.
 */
import { type Clock, momentOf } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { RelayState } from '#fleet-server/relay/contract.ts';
import type { LivingNginx, NginxProcess } from '#fleet-server/relay/nginx-process.ts';

/** Doubled from one attempt to the next, each shortened by up to a third at random. */
export const restartPolicy = { firstDelayMs: 200, maxDelayMs: 10_000, calmAfterMs: 30_000 } as const;

export function restartDelayMs(attempt: number, random: number): number {
  const { firstDelayMs, maxDelayMs } = restartPolicy;
  return Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt, 16)) * (1 - random / 3);
}

export type SupervisorOptions = {
  readonly nginx: Pick<NginxProcess, 'adopt' | 'launch' | 'end'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  onStateChange(state: RelayState): void;
};

export class NginxSupervisor {
  readonly #options: SupervisorOptions;
  #state: RelayState;
  #living: LivingNginx | undefined;
  #isStopping = false;
  #attempt = 0;
  #enteredAtMs = 0;
  #wake = () => {};
  #watching: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#state = { kind: 'stopped', processId: null, adopted: false, restarts: 0, sinceMs: options.clock.nowMs(), detail: '' };
  }

  state(): RelayState {
    return this.#state;
  }

  /** Resolves when nginx answers; rejects with a RelayError when it cannot be started. */
  async start(): Promise<void> {
    const { nginx, log } = this.#options;
    this.#enter({ kind: 'starting', detail: '' });
    try {
      this.#living = (await nginx.adopt()) ?? (await nginx.launch());
    } catch (cause) {
      this.#enter({ kind: 'stopped', detail: cause instanceof Error ? cause.message : String(cause) });
      throw cause;
    }
    const { processId, adopted } = this.#living;
    log.info({ processId }, adopted ? 'relay: took over the nginx that was running' : 'relay: nginx runs');
    this.#enter({ kind: 'running', detail: '', processId, adopted });
    this.#watching = this.#watch();
  }

  /** nginx is there but does not answer: it is ended hard, and the supervision starts another. */
  async replace(reason: string): Promise<void> {
    const living = this.#living;
    if (living === undefined || this.#state.kind !== 'running') return;
    this.#options.log.error({ processId: living.processId }, `relay: nginx is replaced: ${reason}`);
    await this.#options.nginx.end(living.processId, 'SIGKILL');
  }

  /** Ends nginx, in bounded time; may be called twice. */
  async stop(): Promise<void> {
    if (this.#isStopping) return this.#watching;
    this.#isStopping = true;
    this.#wake();
    if (this.#living !== undefined) await this.#options.nginx.end(this.#living.processId);
    await this.#watching;
    this.#enter({ kind: 'stopped', detail: '' });
  }

  async #watch(): Promise<void> {
    while (!this.#isStopping) {
      if (this.#living === undefined) await this.#revive();
      else await this.#endOf(this.#living);
    }
    this.#living?.forget();
  }

  async #endOf(living: LivingNginx): Promise<void> {
    const reason = await Promise.race([living.gone, this.#stopped()]);
    if (this.#isStopping) return;
    const ranForMs = Math.round(this.#options.clock.monotonicMs() - this.#enteredAtMs);
    if (ranForMs > restartPolicy.calmAfterMs) this.#attempt = 0;
    this.#options.log.error({ processId: living.processId, ranForMs }, `relay: nginx is gone: ${reason}`);
    this.#enter({ kind: 'restarting', detail: `nginx is gone: ${reason}` });
    this.#living = undefined;
    living.forget();
    await this.#options.nginx.end(living.processId, 'SIGKILL');
  }

  async #revive(): Promise<void> {
    const delayMs = restartDelayMs(this.#attempt, this.#options.random());
    this.#attempt += 1;
    await this.#pause(delayMs);
    if (this.#isStopping) return;
    try {
      const living = await this.#options.nginx.launch();
      this.#living = living;
      if (this.#isStopping) {
        await this.#options.nginx.end(living.processId);
        return;
      }
      this.#options.log.info({ processId: living.processId, attempt: this.#attempt }, 'relay: nginx runs again');
      this.#enter({ kind: 'running', detail: '', processId: living.processId, restarts: this.#state.restarts + 1 });
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      this.#options.log.error({ attempt: this.#attempt }, `relay: ${detail}`);
      this.#enter({ kind: 'restarting', detail });
    }
  }

  #enter(change: Pick<RelayState, 'kind' | 'detail'> & Partial<RelayState>): void {
    const { restarts } = this.#state;
    const { nowMs, monotonicMs } = momentOf(this.#options.clock);
    this.#enteredAtMs = monotonicMs;
    this.#state = { processId: null, adopted: false, restarts, sinceMs: nowMs, ...change };
    this.#options.onStateChange(this.#state);
  }

  #stopped(): Promise<string> {
    return new Promise((resolve) => {
      this.#wake = () => resolve('stopped');
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
