/**
 * How long the disk alone lets somebody wait: a block is written and flushed now and then, beside the store and on the same disk. Each of
 * the server's answers to a write waits for such a flush, so a disk that stands still shows in both figures.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../media-host-kills.ts';

const everyMs = 50;
const block = Buffer.alloc(4096, 1);

export class DiskProbe implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #timesMs: number[] = [];
  readonly #isOver = new AbortController();
  readonly #work: Promise<void>;

  private constructor(file: FileHandle) {
    this.#file = file;
    this.#work = this.#probe();
  }

  /** In a folder on the disk that is meant. */
  static async start(directory: string): Promise<DiskProbe> {
    return new DiskProbe(await open(join(directory, 'disk-probe'), 'w'));
  }

  get longestMs(): number {
    return Math.max(0, ...this.#timesMs);
  }

  quantile(share: number): number {
    return quantile(this.#timesMs, share);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver.abort();
    await this.#work;
    await this.#file.close();
  }

  async #probe(): Promise<void> {
    while (!this.#isOver.signal.aborted) {
      const begin = performance.now();
      await this.#file.write(block, 0, block.length, 0);
      await this.#file.datasync();
      this.#timesMs.push(performance.now() - begin);
      await delay(everyMs);
    }
  }
}
