/** The log lines that devices sent of late, in memory alone: whoever wants them anew asks the device again (send-logs). */
import type { Clock } from '#fleet-server/clock.ts';
import type { DeviceLog } from '#protocol/model/log.ts';

export const maxLinesADevice = 2000;
export const maxDevices = 100;
/** Twice the lease. */
const keptMs = 600_000;

/** `heardAtMs`: by the monotonic clock. */
type Kept = { readonly lines: string[]; firstNumber: number; heardAtMs: number };

export class DeviceLogs {
  readonly #clock: Clock;
  /** The one heard last is the last. */
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onLines(deviceId: string, lines: readonly string[]): void {
    const kept = this.#kept.get(deviceId) ?? { lines: [], firstNumber: 1, heardAtMs: 0 };
    kept.lines.push(...lines);
    const excess = Math.max(0, kept.lines.length - maxLinesADevice);
    kept.lines.splice(0, excess);
    kept.firstNumber += excess;
    kept.heardAtMs = this.#clock.monotonicMs();
    this.#kept.delete(deviceId);
    this.#kept.set(deviceId, kept);
    for (const [id, { heardAtMs }] of this.#kept) {
      if (this.#kept.size <= maxDevices && this.#clock.monotonicMs() - heardAtMs < keptMs) break;
      this.#kept.delete(id);
    }
    for (const listener of this.#listeners.get(deviceId) ?? []) listener();
  }

  /** Calls back when there are new lines of a device; the answer ends it. */
  onNew(deviceId: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(deviceId) ?? new Set();
    this.#listeners.set(deviceId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(deviceId) === listeners) this.#listeners.delete(deviceId);
    };
  }

  forget(deviceId: string): void {
    this.#kept.delete(deviceId);
  }

  /** Those with a number above `after`. */
  read(deviceId: string, after: number): DeviceLog {
    const kept = this.#kept.get(deviceId);
    if (kept === undefined) return { lines: [], next: after };
    const numbered = kept.lines.map((text, index) => ({ number: kept.firstNumber + index, text }));
    const last = kept.firstNumber + kept.lines.length - 1;
    // Numbers begin anew with each life of the server: one from before is not waited for.
    return { lines: after > last ? numbered : numbered.filter(({ number }) => number > after), next: last };
  }
}
