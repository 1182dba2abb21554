/**
 * A bounded number at once; who comes later waits, in order. Pure but for the time.
 *
 * INVARIANTS
 * - Nobody waits longer than `waitMs`, or once it is known that there is nothing to wait for.
 */
type Waiting = { admit(): void; refuse(cause: unknown): void };

export class Turns {
  readonly #waitMs: number;
  #free: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();

  constructor(places: number, waitMs: number) {
    this.#free = places;
    this.#waitMs = waitMs;
  }

  /** Resolves when there is a place, which is to be given back. Rejects with what `refuseAll` was told, or after `waitMs`. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        done();
      };
      const waiting: Waiting = { admit: () => settle(resolve), refuse: (cause) => settle(() => reject(cause)) };
      const timer = setTimeout(() => waiting.refuse(new Error(`expected a turn within ${this.#waitMs} ms, others took all`)), this.#waitMs);
      this.#waiting.add(waiting);
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next.admit();
  }

  /** Those that wait now. */
  refuseAll(cause: unknown): void {
    for (const { refuse } of [...this.#waiting]) refuse(cause);
  }
}
