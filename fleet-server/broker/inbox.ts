/**
 * What devices send, on its way to the server: allowance, decoding, and one message at a time a connection.
 *
 * The chain of a connection is bounded: the broker reads no further from a connection before everything that it read has been
 * answered for, so no more waits here than fits into the connection's read buffer, and the allowance cuts off earlier.
 */
import type { PublishPacket } from 'aedes';
import type { Connection } from '#fleet-server/broker/connection-table.ts';
import type { BrokerHooks, BrokerProblem } from '#fleet-server/broker/contract.ts';
import { deliverUpward } from '#fleet-server/broker/deliver-upward.ts';
import { MessageAllowance } from '#fleet-server/broker/message-allowance.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { parseTopic } from '#protocol/topics.ts';

/** Allowances outlive connections, so that a flooding device gains nothing by connecting again. */
const maxAllowances = 20_000;

export type Incoming = {
  readonly connection: Connection;
  readonly deviceId: string;
  readonly packet: PublishPacket;
  /** The last will of a connection that has ended: it is never held up. */
  readonly isWill: boolean;
};

export class Inbox {
  readonly #hooks: BrokerHooks;
  readonly #clock: Clock;
  readonly #onProblem: (deviceId: string, problem: BrokerProblem) => void;
  readonly #allowances = new Map<string, MessageAllowance>();
  readonly #chains = new WeakMap<Connection, Promise<void>>();
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

  /** Resolves when the server has dealt with the message; the answer is an error when the connection must be closed. */
  take(incoming: Incoming): Promise<Error | undefined> {
    const { connection, deviceId, isWill } = incoming;
    const payload = Buffer.from(incoming.packet.payload);
    const allowance = isWill ? ({ kind: 'granted' } as const) : this.#allowanceOf(deviceId).take(payload.length, this.#clock.nowMs());
    if (allowance.kind !== 'granted') {
      this.#onProblem(deviceId, { code: 'flooding', message: 'expected fewer messages a second; the device is slowed, then cut' });
    }
    if (allowance.kind === 'cut') return Promise.resolve(new Error('too many messages'));
    const arrivedMs = this.#clock.nowMs();
    const before = this.#chains.get(connection) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (allowance.kind === 'wait') await this.#wait(allowance.delayMs);
      await this.#deliver(deviceId, incoming.packet.topic, payload);
      this.ingest.observe(this.#clock.nowMs() - arrivedMs);
    });
    this.#chains.set(connection, turn);
    return turn.then(() => undefined);
  }

  async #deliver(deviceId: string, topic: string, payload: Buffer): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed?.way !== 'up') return;
    this.#received += 1;
    const problem = await deliverUpward(this.#hooks, deviceId, parsed.name, payload);
    if (problem !== undefined) this.#onProblem(deviceId, problem);
  }

  #allowanceOf(deviceId: string): MessageAllowance {
    const nowMs = this.#clock.nowMs();
    const known = this.#allowances.get(deviceId);
    if (known !== undefined) return known;
    if (this.#allowances.size >= maxAllowances) {
      for (const [id, allowance] of this.#allowances) if (allowance.isFull(nowMs)) this.#allowances.delete(id);
    }
    const allowance = new MessageAllowance(nowMs);
    this.#allowances.set(deviceId, allowance);
    return allowance;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(delayMs, resolve));
  }
}
