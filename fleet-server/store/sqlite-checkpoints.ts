/**
 * Brings what stands in SQLite's journal (the WAL) into the main file, in a thread of its own: writing all over a file and two waits for
 * the disk would otherwise hold up the whole server. https://sqlite.org/wal.html
 *
 * INVARIANTS
 * - Of the two rounds the first does nearly everything, beside writers and readers. For the second no writer is let in; the next one then
 *   begins the journal anew, so that it does not grow for ever under a load that never pauses.
 * - When there is no such thread, SQLite does it itself as it would have without us.
 */
import { Worker } from 'node:worker_threads';
import { checkpointWorker } from '#fleet-server/installation.ts';

/** Of the journal. A page that changes again and again is written once a round: the larger, the less is written. */
export const checkpointBytes = 16 * 1_048_576;
/** Somebody who reads for long (a backup) keeps the journal, and so does a full disk: it is tried again after a while. */
const pauseMs = 5000;

export type CheckpointsOptions = {
  readonly path: string;
  /** Lets no writer in meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  journalBytes(): number;
  nowMs(): number;
  /** From now on SQLite has to do it itself. */
  giveUp(cause: unknown): void;
};

/** `failed`: SQLite could not at this moment. Whoever writes hears from it why. */
export type CheckpointAnswer = 'done' | 'failed';

export class SqliteCheckpoints {
  readonly #options: CheckpointsOptions;
  #worker: Worker | null = null;
  #work: Promise<void> | null = null;
  #notBeforeMs = 0;
  #isOver = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** Something was written. */
  note(): void {
    if (this.#work !== null || this.#isOver) return;
    const { journalBytes, nowMs, giveUp } = this.#options;
    if (journalBytes() < checkpointBytes || nowMs() < this.#notBeforeMs) return;
    this.#work = this.#run()
      .catch((cause: unknown) => {
        this.#isOver = true;
        giveUp(cause);
      })
      .finally(() => {
        this.#notBeforeMs = nowMs() + pauseMs;
        this.#work = null;
      });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #run(): Promise<void> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    if ((await ask(worker)) === 'done') await this.#options.alone(() => ask(worker));
  }

  #start(): Worker {
    return new Worker(checkpointWorker, {
      workerData: this.#options.path,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
  }
}

/** The process may end while nothing is asked. */
function ask(worker: Worker): Promise<CheckpointAnswer> {
  worker.ref();
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.unref();
      end();
    };
    const onMessage = (answer: CheckpointAnswer) => settle(() => resolve(answer));
    const onError = (cause: unknown) => settle(() => reject(cause));
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage('checkpoint');
  });
}
