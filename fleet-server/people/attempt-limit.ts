/** Refused sign-ins by name, whatever address they come from: ten in five minutes, then a pause. */
import type { Clock } from '#fleet-server/clock.ts';

export type AttemptLimit = {
  mayTry(name: string): boolean;
  failed(name: string): void;
  succeeded(name: string): void;
};

const maxFailures = 10;
const windowMs = 300_000;
/** Names that are remembered; the oldest is forgotten first, so a flood of invented names costs no more memory than this. */
const maxNames = 10_000;

export function createAttemptLimit(options: { readonly clock: Clock }): AttemptLimit {
  const { clock } = options;
  const windows = new Map<string, { failures: number; readonly endsAtMs: number }>();
  const current = (name: string): { failures: number; readonly endsAtMs: number } | undefined => {
    const entry = windows.get(name);
    if (entry === undefined || entry.endsAtMs > clock.nowMs()) return entry;
    windows.delete(name);
    return undefined;
  };
  return {
    mayTry: (name) => (current(name)?.failures ?? 0) < maxFailures,
    failed: (name) => {
      const entry = current(name);
      if (entry !== undefined) {
        entry.failures += 1;
        return;
      }
      const oldest = windows.keys().next();
      if (windows.size >= maxNames && oldest.done !== true) windows.delete(oldest.value);
      windows.set(name, { failures: 1, endsAtMs: clock.nowMs() + windowMs });
    },
    succeeded: (name) => {
      windows.delete(name);
    },
  };
}
