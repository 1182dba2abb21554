/** One tick a second for everything on the page that counts time. */
import { useSyncExternalStore } from 'react';
import { serverNowMs } from '../api/server-clock.ts';

const tickMs = 1000;
const listeners = new Set<() => void>();
let nowMs = serverNowMs();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // The last tick is as old as the last thing that counted time: what happened since would lie in the future.
    nowMs = serverNowMs();
    timer = setInterval(() => {
      nowMs = serverNowMs();
      for (const notify of listeners) notify();
    }, tickMs);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The server's time in milliseconds, of the last tick. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}
