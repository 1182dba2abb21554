import type { Clock } from '#device/media/clock.ts';

/** Resolves after the time, or at once when the signal ends the wait. Leaves no listener behind. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.schedule(finish, delayMs);
    signal.addEventListener('abort', finish, { once: true });
  });
}
