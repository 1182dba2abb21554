/**
 * Lets devices that have shown their credential in a few at a time: the first moments of a connection cost the server many times what a
 * message costs, and a whole fleet comes back at once. Those that wait are not read, and none is served late for all others.
 *
 * INVARIANTS
 * - A place is given to who has authenticated, and to nobody else: what is only connected cannot fill the entrance.
 * - A place is free again when its device is all there, when its connection ends, and after `longestMs` in any case.
 * - Who came first is let in first. As many wait as there may be connections (connection-table.ts).
 */
import type { Clock } from '#fleet-server/clock.ts';

export const entrancePolicy = {
  /** Enough to share each wait for the disk among many. */
  places: 100,
  longestMs: 10_000,
} as const;

export class Entrance<Who extends object> {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #inside = new Map<Who, () => void>();
  readonly #waiting = new Map<Who, () => void>();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `letIn` is called now or later, once; never after `leave`. */
  enter(who: Who, letIn: () => void): void {
    this.#waiting.set(who, letIn);
    this.#letNextIn();
  }

  /** It is all there, or gone. May be called by who never entered. */
  leave(who: Who): void {
    this.#waiting.delete(who);
    const cancel = this.#inside.get(who);
    if (cancel === undefined) return;
    cancel();
    this.#inside.delete(who);
    this.#letNextIn();
  }

  #letNextIn(): void {
    for (const [who, letIn] of this.#waiting) {
      if (this.#inside.size >= entrancePolicy.places) return;
      this.#waiting.delete(who);
      this.#inside.set(
        who,
        this.#clock.after(entrancePolicy.longestMs, () => this.leave(who)),
      );
      letIn();
    }
  }
}
