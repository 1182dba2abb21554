/** Logs a problem when it first comes up, and from then on only how often it came again, once a minute. */
import type { BrokerProblem } from '#fleet-server/broker/contract.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';

const summaryIntervalMs = 60_000;
const maxKeys = 1000;

export class ProblemLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #again = new Map<string, { readonly fields: object; readonly problem: BrokerProblem; count: number }>();
  #cancel: (() => void) | undefined;
  #total = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  start(): void {
    this.#cancel ??= this.#clock.every(summaryIntervalMs, () => this.#summarise());
  }

  /** `who` is a device id or an address. */
  add(who: { readonly deviceId: string } | { readonly address: string }, problem: BrokerProblem): void {
    this.#total += 1;
    const key = `${'deviceId' in who ? who.deviceId : who.address} ${problem.code}`;
    const known = this.#again.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#again.size < maxKeys) {
      this.#again.set(key, { fields: who, problem, count: 0 });
      this.#log.warn({ ...who, code: problem.code }, problem.message);
    }
  }

  get total(): number {
    return this.#total;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#summarise();
  }

  #summarise(): void {
    for (const { fields, problem, count } of this.#again.values()) {
      if (count > 0) this.#log.warn({ ...fields, code: problem.code, count }, `${count} times more: ${problem.message}`);
    }
    this.#again.clear();
  }
}
