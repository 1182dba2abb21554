/**
 * Gathers what has become old and has it read again a few times a second at most.
 *
 * INVARIANTS
 * - What becomes old while it is being read is read once more afterwards: the last change of a burst is never missed.
 * - A reading that hangs holds the queue up for `patienceMs` at most.
 * - What waits is bounded by the number of different prefixes.
 */
import type { QueryPrefix } from './affected.ts';

export type RefreshQueueOptions = {
  readonly refresh: (prefixes: readonly QueryPrefix[]) => Promise<unknown>;
  /** Calls back once, after so many milliseconds; the answer cancels. */
  readonly after: (delayMs: number, act: () => void) => () => void;
};

const minimumGapMs = 300;
const patienceMs = 2000;

export class RefreshQueue {
  readonly #options: RefreshQueueOptions;
  readonly #waiting = new Map<string, QueryPrefix>();
  #cancel: (() => void) | null = null;
  #isBusy = false;
  #isStopped = false;

  constructor(options: RefreshQueueOptions) {
    this.#options = options;
  }

  add(prefixes: readonly QueryPrefix[]): void {
    for (const prefix of prefixes) this.#waiting.set(prefix.join('/'), prefix);
    if (!this.#isBusy) this.#flush();
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting.clear();
    this.#cancel?.();
  }

  #flush(): void {
    if (this.#isStopped || this.#waiting.size === 0) return;
    const prefixes = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#isBusy = true;
    let isGapOver = false;
    let isRead = false;
    const next = (): void => {
      if (!isGapOver || !isRead) return;
      this.#cancel?.();
      this.#isBusy = false;
      this.#flush();
    };
    const whenRead = (): void => {
      if (isRead) return;
      isRead = true;
      next();
    };
    this.#cancel = this.#options.after(minimumGapMs, () => {
      isGapOver = true;
      if (!isRead) this.#cancel = this.#options.after(patienceMs - minimumGapMs, whenRead);
      next();
    });
    this.#options.refresh(prefixes).then(whenRead, whenRead);
  }
}
