/**
 * How much one person may change, with whichever of their sessions and tokens: a token bucket. Whoever writes without a bound fills the audit log
 * until their own traces have gone from it, and the disk besides.
 */
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';

export const writePolicy = {
  /** A program that sets a hundred devices up, one after the other, waits for nothing. */
  perMinute: 120,
  /** So many minutes' worth may come at once. */
  burstMinutes: 5,
} as const;

export class WriteAllowance {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** By name. Who has all of theirs is forgotten, so there are no more than people who wrote of late. */
  readonly #used = new Map<string, { used: number; countedAtMs: number }>();

  constructor(options: { readonly clock: Clock; readonly perMinute: number }) {
    this.#clock = options.clock;
    this.#perMinute = options.perMinute;
  }

  /** Throws a FleetError that says when to try again. */
  take(name: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, entry] of this.#used) if (this.#usedAt(entry, nowMs) === 0) this.#used.delete(other);
    const entry = this.#used.get(name);
    const used = entry === undefined ? 0 : this.#usedAt(entry, nowMs);
    const atOnce = this.#perMinute * writePolicy.burstMinutes;
    if (used + 1 > atOnce) {
      const retryAfterS = Math.ceil(((used + 1 - atOnce) / this.#perMinute) * 60);
      throw new FleetError(
        'too-many',
        `Expected at most ${this.#perMinute} changes a minute by ${name}, and ${atOnce} at once. Try again in ${retryAfterS} s.`,
        { retryAfterS },
      );
    }
    this.#used.set(name, { used: used + 1, countedAtMs: nowMs });
  }

  #usedAt({ used, countedAtMs }: { readonly used: number; readonly countedAtMs: number }, nowMs: number): number {
    return Math.max(0, used - ((nowMs - countedAtMs) / 60_000) * this.#perMinute);
  }
}
