/**
 * What is on its way to the broker: as many messages at once as it takes, the rest in a bounded queue.
 *
 * INVARIANTS
 * - Never more in flight than the broker said that it takes (Receive Maximum, MQTT 5, section 4.9): it cuts whoever sends more.
 * - Nothing is kept for the next connection: whatever waits is answered as not sent, and the tables bring it again.
 */
export const windowPolicy = { maxInFlight: 100, maxWaiting: 20_000, maxWaitingBytes: 32 * 1_048_576 } as const;

type Waiting = { readonly topic: string; readonly payload: string; readonly settle: (isSent: boolean) => void };
type Send = (topic: string, payload: string) => Promise<unknown>;

export class PublishWindow {
  #send: Send | null = null;
  #maxInFlight = 0;
  #inFlight = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #flying = new Set<(isSent: boolean) => void>();

  /** `send` resolves when the broker has acknowledged, and rejects when it refuses. */
  open(send: Send, receiveMaximum: number): void {
    this.close();
    this.#send = send;
    this.#maxInFlight = Math.max(1, Math.min(receiveMaximum, windowPolicy.maxInFlight));
  }

  /** Whatever is not acknowledged counts as not sent. May be called twice. */
  close(): void {
    this.#send = null;
    this.#inFlight = 0;
    for (const settle of [...this.#flying]) settle(false);
    for (const { settle } of this.#waiting.splice(0)) settle(false);
    this.#waitingBytes = 0;
  }

  /** False when there is no connection, when it broke first, when the broker refused, or when too much waits. */
  publish(topic: string, payload: string): Promise<boolean> {
    const isFull = this.#waiting.length >= windowPolicy.maxWaiting || this.#waitingBytes >= windowPolicy.maxWaitingBytes;
    if (this.#send === null || isFull) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ topic, payload, settle: resolve });
      this.#waitingBytes += payload.length;
      this.#pump();
    });
  }

  #pump(): void {
    const send = this.#send;
    while (send !== null && this.#inFlight < this.#maxInFlight) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#waitingBytes -= next.payload.length;
      this.#inFlight += 1;
      const settle = (isSent: boolean): void => {
        // The end of the connection and the answer of the client's own store may both come.
        if (!this.#flying.delete(settle)) return;
        next.settle(isSent);
        if (this.#send !== send) return;
        this.#inFlight -= 1;
        this.#pump();
      };
      this.#flying.add(settle);
      send(next.topic, next.payload).then(
        () => settle(true),
        () => settle(false),
      );
    }
  }
}
