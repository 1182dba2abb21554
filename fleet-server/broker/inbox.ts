/**
 * What devices send, on its way to the server: allowance, decoding, and one message at a time a connection.
 *
 * The chain of a connection is bounded: a connection is read no further once a few of its messages wait (device-lane.ts), so little more
 * waits here than fits into its read buffer, and the allowance cuts off earlier.
 */
import type { Connection } from '#fleet-server/broker/connection-table.ts';
import type { BrokerHooks, BrokerProblem } from '#fleet-server/broker/contract.ts';
import { deliverUpward } from '#fleet-server/broker/deliver-upward.ts';
import { Allowances, floodingProblem } from '#fleet-server/broker/message-allowance.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import type { UpwardTopic } from '#protocol/topics.ts';

export type Incoming = {
  readonly connection: Connection;
  readonly deviceId: string;
  readonly name: UpwardTopic;
  readonly payload: Buffer;
  /** The last will of a connection that has ended: it is never held up. */
  readonly isWill: boolean;
};

export class Inbox {
  readonly #hooks: BrokerHooks;
  readonly #clock: Clock;
  readonly #onProblem: (deviceId: string, problem: BrokerProblem) => void;
  readonly #allowances = new Allowances();
  readonly ingest = new Histogram();
  #received = 0;

  constructor(hooks: BrokerHooks, clock: Clock, onProblem: (deviceId: string, problem: BrokerProblem) => void) {
    this.#hooks = hooks;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  get received(): number {
    return this.#received;
  }

  /**
   * Answers, at once where nothing has to be waited for, when the server has dealt with the message; an error when the connection must be
   * closed.
   */
  take(incoming: Incoming): Promise<Error | undefined> | Error | undefined {
    const { connection, deviceId, payload, isWill } = incoming;
    const arrivedMs = this.#clock.monotonicMs();
    const allowance = isWill ? ({ kind: 'granted' } as const) : this.#allowances.take(deviceId, payload.length, arrivedMs);
    if (allowance.kind !== 'granted') {
      this.#onProblem(deviceId, floodingProblem);
    }
    if (allowance.kind === 'cut') return new Error('too many messages');
    const before = connection.turn;
    const work =
      before === undefined && allowance.kind === 'granted'
        ? this.#deliver(incoming, arrivedMs)
        : this.#deliverAfter(before, allowance.kind === 'wait' ? allowance.delayMs : 0, incoming, arrivedMs);
    if (work === undefined) return undefined;
    const turn = work.then(() => {
      if (connection.turn === turn) connection.turn = undefined;
    });
    connection.turn = turn;
    return turn as Promise<undefined>;
  }

  async #deliverAfter(before: Promise<void> | undefined, delayMs: number, incoming: Incoming, arrivedMs: number): Promise<void> {
    await before;
    if (delayMs > 0) await this.#wait(delayMs);
    await this.#deliver(incoming, arrivedMs);
  }

  #deliver({ deviceId, name, payload }: Incoming, arrivedMs: number): Promise<void> | undefined {
    this.#received += 1;
    const settle = (problem: BrokerProblem | undefined) => {
      if (problem !== undefined) this.#onProblem(deviceId, problem);
      this.ingest.observe(this.#clock.monotonicMs() - arrivedMs);
    };
    const delivered = deliverUpward(this.#hooks, deviceId, name, payload);
    if (delivered instanceof Promise) return delivered.then(settle);
    settle(delivered);
    return undefined;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(delayMs, resolve));
  }
}
