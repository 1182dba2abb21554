/**
 * What carries the bytes of one connection. Messages may be late, overtake each other, come twice or not at all; either way may stop to
 * carry anything without either end knowing; and of the two ends one may be closed while the other still believes in it.
 */
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Way = 'up' | 'down';
export type End = 'device' | 'server';

/** Shares of all messages; none once the faults have stopped. */
export type Rates = { late: number; twice: number; lost: number };

export const faultyRates: Rates = { late: 0.06, twice: 0.06, lost: 0.03 };
export const noRates: Rates = { late: 0, twice: 0, lost: 0 };

const ends: { readonly [W in Way]: End } = { up: 'server', down: 'device' };

export class Link {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #rates: Rates;
  readonly passes = { up: true, down: true };
  readonly isOpen = { device: true, server: true };
  readonly #onClosed: { readonly [E in End]: (reason: string) => void };

  /** `onClosed` is called once an end, by whichever end began. */
  constructor(parts: {
    readonly time: VirtualTime;
    readonly random: Random;
    readonly rates: Rates;
    readonly onClosed: { readonly [E in End]: (reason: string) => void };
  }) {
    this.#time = parts.time;
    this.#random = parts.random;
    this.#rates = parts.rates;
    this.#onClosed = parts.onClosed;
  }

  send(way: Way, deliver: () => void): void {
    const { late, twice, lost } = this.#rates;
    if (this.#random.chance(lost)) return;
    for (let copies = this.#random.chance(twice) ? 2 : 1; copies > 0; copies -= 1) {
      const delayMs = this.#random.chance(late) ? this.#random.between(200, 4000) : this.#random.between(1, 40);
      this.#time.after(delayMs, () => {
        if (this.passes[way] && this.isOpen[ends[way]]) deliver();
      });
    }
  }

  /** The other end is told when the way to it still carries. */
  close(end: End, reason: string): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.#onClosed[end](reason);
    const way: Way = end === 'device' ? 'up' : 'down';
    const other = ends[way];
    this.#time.after(this.#random.between(1, 40), () => {
      if (this.passes[way]) this.close(other, reason);
    });
  }

  /** Nothing passes any more, and nobody is told. */
  fallSilent(ways: readonly Way[]): void {
    for (const way of ways) this.passes[way] = false;
  }

  get isSilent(): boolean {
    return !this.passes.up || !this.passes.down;
  }
}
