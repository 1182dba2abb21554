/**
 * Writes down when devices were heard last, at most once a second and for all together: a server that was killed tells of those that do not come back.
 * What is lost with it is what was heard within its last second.
 */
import type { Clock } from '#fleet-server/clock.ts';
import { saveAllHeard } from '#fleet-server/devices/devices-store.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database } from '#fleet-server/store/schema.ts';

const flushMs = 1000;

export type LastHeardOptions = { readonly database: Database; readonly clock: Clock; readonly log: Log };

export class LastHeard {
  readonly #options: LastHeardOptions;
  /** At most one a device. */
  #waiting = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();
  /** Not null: it will be written, or is at this moment. One at a time: a disk that hangs must not gather work behind it. */
  #cancel: (() => void) | null = null;

  constructor(options: LastHeardOptions) {
    this.#options = options;
  }

  /** What is noted after it is lost. */
  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#work;
    await this.#flush();
    this.#cancel = () => {};
  }

  note(deviceId: string, heardAtMs: number): void {
    this.#waiting.set(deviceId, heardAtMs);
    this.#cancel ??= this.#options.clock.after(flushMs, () => {
      this.#work = this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const { database, log } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    try {
      await saveAllHeard(
        database,
        [...waiting].map(([deviceId, heardAtMs]) => ({ deviceId, heardAtMs })),
      );
    } catch (err) {
      // It is said again with the next report, within a minute.
      log.error({ err, devices: waiting.size }, 'when devices were heard last could not be stored');
    }
    this.#cancel = null;
  }
}
