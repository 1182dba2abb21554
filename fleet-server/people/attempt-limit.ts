/** Refused sign-ins by name, or by the browser that is known, whatever address they come from: ten in five minutes, then a pause. */
import type { Clock } from '#fleet-server/clock.ts';

export type AttemptLimit = {
  /** Until the next try; 0: now. */
  waitMs(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
};

const maxFailures = 10;
export const attemptWindowMs = 300_000;
/** Keys that are remembered; the oldest is forgotten first, so a flood of invented names costs no more memory than this. */
const maxKeys = 10_000;

export function createAttemptLimit(options: { readonly clock: Clock }): AttemptLimit {
  const { clock } = options;
  const windows = new Map<string, { failures: number; readonly endsAtMs: number }>();
  const current = (key: string): { failures: number; readonly endsAtMs: number } | undefined => {
    const entry = windows.get(key);
    if (entry === undefined || entry.endsAtMs > clock.monotonicMs()) return entry;
    windows.delete(key);
    return undefined;
  };
  return {
    waitMs: (key) => {
      const entry = current(key);
      return entry === undefined || entry.failures < maxFailures ? 0 : entry.endsAtMs - clock.monotonicMs();
    },
    failed: (key) => {
      const entry = current(key);
      if (entry !== undefined) {
        entry.failures += 1;
        return;
      }
      const oldest = windows.keys().next();
      if (windows.size >= maxKeys && oldest.done !== true) windows.delete(oldest.value);
      windows.set(key, { failures: 1, endsAtMs: clock.monotonicMs() + attemptWindowMs });
    },
    succeeded: (key) => {
      windows.delete(key);
    },
  };
}
