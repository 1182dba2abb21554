/**
 * Waits until the disk has what was written, away from the event loop: a disk that takes its time holds up whoever waits for it, and no
 * device, page or timer beside that.
 *
 * INVARIANT: who asks has waited for a flush that began after the question. Those who ask while one runs share the next.
 */
export class DiskFlush {
  readonly #flush: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Rejects when the disk did not take it: nobody knows then whether it will be there after a power cut. */
  flushed(): Promise<void> {
    if (this.#running === null) return this.#begin();
    const after = () => {
      this.#next = null;
      return this.#begin();
    };
    this.#next ??= this.#running.then(after, after);
    return this.#next;
  }

  #begin(): Promise<void> {
    const running = this.#flush().finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }
}
