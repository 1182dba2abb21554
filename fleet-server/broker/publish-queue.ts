/**
 * What is on its way to one device: one message at a time, each awaited before the next is written to its connection.
 *
 * INVARIANTS
 * - Of `desired` only the newest waits: an older one would be ignored by the device anyway.
 * - The queue ends with the connection. Nothing is kept for the next one: its hello brings everything again.
 */

import type { PublishOutcome } from '#fleet-server/broker/contract.ts';
import type { DownwardName } from '#protocol/envelope.ts';

export const queuePolicy = { maxMessages: 2500, maxBytes: 1_048_576 } as const;

type Waiting = { readonly name: DownwardName; payload: string; readonly waiters: ((outcome: PublishOutcome) => void)[] };

export class PublishQueue {
  readonly #send: (name: DownwardName, payload: string) => void | Promise<void>;
  readonly #onOverflow: () => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isSending = false;
  #isClosed = false;

  /** `send` answers, or resolves, when the message has been written to the connection, and throws or rejects when that has broken. */
  constructor(send: (name: DownwardName, payload: string) => void | Promise<void>, onOverflow: () => void) {
    this.#send = send;
    this.#onOverflow = onOverflow;
  }

  publish(name: DownwardName, payload: string): Promise<PublishOutcome> {
    if (this.#isClosed) return Promise.resolve('offline');
    if (!this.#isSending) {
      const outcome = this.#try(name, payload);
      if (outcome instanceof Promise) void this.#sendOn(outcome);
      return Promise.resolve(outcome);
    }
    return new Promise((resolve) => {
      this.#put(name, payload, resolve);
      if (this.#waiting.length > queuePolicy.maxMessages || this.#waitingBytes > queuePolicy.maxBytes) {
        // The device takes nothing in any more: a new connection and its hello are the way out.
        this.close();
        this.#onOverflow();
      }
    });
  }

  #try(name: DownwardName, payload: string): PublishOutcome | Promise<PublishOutcome> {
    try {
      const sending = this.#send(name, payload);
      return sending === undefined
        ? 'sent'
        : sending.then(
            () => 'sent',
            () => 'offline',
          );
    } catch {
      return 'offline';
    }
  }

  #put(name: DownwardName, payload: string, resolve: (outcome: PublishOutcome) => void): void {
    const older = name === 'desired' ? this.#waiting.find((waiting) => waiting.name === 'desired') : undefined;
    if (older === undefined) {
      this.#waiting.push({ name, payload, waiters: [resolve] });
      this.#waitingBytes += payload.length;
    } else {
      this.#waitingBytes += payload.length - older.payload.length;
      older.payload = payload;
      older.waiters.push(resolve);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { waiters } of this.#waiting.splice(0)) for (const resolve of waiters) resolve('offline');
    this.#waitingBytes = 0;
  }

  async #sendOn(first: Promise<PublishOutcome>): Promise<void> {
    this.#isSending = true;
    await first;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingBytes -= next.payload.length;
      const outcome = await this.#try(next.name, next.payload);
      for (const resolve of next.waiters) resolve(outcome);
    }
    this.#isSending = false;
  }
}
