/** Refused sign-ins by name, or by the browser that is known, whatever address they come from: ten in five minutes, then a pause. */
import type { Clock } from '#fleet-server/clock.ts';

export type AttemptLimit = {
  mayTry(key: string): boolean;
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
    if (entry === undefined || entry.endsAtMs > clock.nowMs()) return entry;
    windows.delete(key);
    return undefined;
  };
  return {
    mayTry: (key) => (current(key)?.failures ?? 0) < maxFailures,
    failed: (key) => {
      const entry = current(key);
      if (entry !== undefined) {
        entry.failures += 1;
        return;
      }
      const oldest = windows.keys().next();
      if (windows.size >= maxKeys && oldest.done !== true) windows.delete(oldest.value);
      windows.set(key, { failures: 1, endsAtMs: clock.nowMs() + attemptWindowMs });
    },
    succeeded: (key) => {
      windows.delete(key);
    },
  };
}
