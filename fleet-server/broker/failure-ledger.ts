/**
 * Counts refused credentials by address, and says how long the next refusal is held back. Only refusals wait: a right
 * credential is let in at once, because a whole venue of devices may share one address with somebody who guesses.
 */
export const failurePolicy = { firstDelayMs: 100, maxDelayMs: 5000, forgetAfterMs: 60_000, maxAddresses: 4096 } as const;

export class FailureLedger {
  readonly #failures = new Map<string, { count: number; lastMs: number }>();

  /** Notes one more refusal, and answers for how long it is to be held back. */
  note(address: string, nowMs: number): number {
    const known = this.#failures.get(address);
    const isRecent = known !== undefined && nowMs - known.lastMs < failurePolicy.forgetAfterMs;
    const count = isRecent ? known.count + 1 : 1;
    // Put at the end again, so that the first of the map is the one longest quiet.
    this.#failures.delete(address);
    this.#failures.set(address, { count, lastMs: nowMs });
    if (this.#failures.size > failurePolicy.maxAddresses) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
    return Math.min(failurePolicy.maxDelayMs, failurePolicy.firstDelayMs * 2 ** Math.min(count - 1, 16));
  }

  get size(): number {
    return this.#failures.size;
  }
}
