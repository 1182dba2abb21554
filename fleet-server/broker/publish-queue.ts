/**
 * What is on its way to one device: one message at a time, each awaited before the next is handed to the broker.
 *
 * INVARIANTS
 * - Never two messages of one device inside the broker at once. Aedes tells duplicates by a counter that only grows, and
 *   silently drops a message that a later one has overtaken (of 2000 that were not awaited, none arrived).
 * - Of `desired` only the newest waits: an older one would be ignored by the device anyway.
 * - The queue ends with the connection. Nothing is kept for the next one: its hello brings everything again.
 */

import type { PublishOutcome } from '#fleet-server/broker/contract.ts';
import type { DownwardName } from '#protocol/envelope.ts';

export const queuePolicy = { maxMessages: 2500, maxBytes: 1_048_576 } as const;

type Waiting = { readonly name: DownwardName; payload: string; readonly waiters: ((outcome: PublishOutcome) => void)[] };

export class PublishQueue {
  readonly #send: (name: DownwardName, payload: string) => Promise<void>;
  readonly #onOverflow: () => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isSending = false;
  #isClosed = false;

  /** `send` resolves when the message has been written to the connection, and rejects when that has broken. */
  constructor(send: (name: DownwardName, payload: string) => Promise<void>, onOverflow: () => void) {
    this.#send = send;
    this.#onOverflow = onOverflow;
  }

  publish(name: DownwardName, payload: string): Promise<PublishOutcome> {
    if (this.#isClosed) return Promise.resolve('offline');
    return new Promise((resolve) => {
      this.#put(name, payload, resolve);
      if (this.#waiting.length > queuePolicy.maxMessages || this.#waitingBytes > queuePolicy.maxBytes) {
        // The device takes nothing in any more: a new connection and its hello are the way out.
        this.close();
        this.#onOverflow();
      } else if (!this.#isSending) void this.#drain();
    });
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

  async #drain(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingBytes -= next.payload.length;
      const outcome: PublishOutcome = await this.#send(next.name, next.payload).then(
        () => 'sent',
        () => 'offline',
      );
      for (const resolve of next.waiters) resolve(outcome);
    }
    this.#isSending = false;
  }
}
