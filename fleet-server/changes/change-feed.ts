/**
 * Who is told what changed. Publishers do not know the listeners; a burst about one thing reaches a listener as one change.
 *
 * INVARIANTS
 * - At most one change a subject and device every `minimumGapMs`; the last one of a burst is never lost.
 * - What waits is bounded by subjects times devices, as a change carries no data.
 */
import type { Clock } from '#fleet-server/clock.ts';
import type { Change } from '#protocol/model/change.ts';

export type NumberedChange = { readonly id: number; readonly change: Change };
export type ChangeListener = (change: NumberedChange) => void;

export type ChangeFeed = {
  publish(change: Change): void;
  /** One that another server published. */
  repeat(change: Change): void;
  /** The answer ends the subscription. */
  subscribe(listener: ChangeListener): () => void;
  listenerCount(): number;
  lastId(): number;
  stop(): void;
};

const minimumGapMs = 250;

export type ChangeFeedOptions = {
  readonly clock: Clock;
  /** Each change that was published here, for those who listen at other servers. */
  tellOthers?(change: Change): void;
};

export function createChangeFeed({ clock, tellOthers }: ChangeFeedOptions): ChangeFeed {
  const listeners = new Set<ChangeListener>();
  const windows = new Map<string, { waiting: boolean; cancel: () => void }>();
  let id = 0;

  const deliver = (change: Change): void => {
    id += 1;
    for (const listener of listeners) listener({ id, change });
  };
  const open = (key: string, change: Change): void => {
    const entry = { waiting: false, cancel: () => {} };
    entry.cancel = clock.after(minimumGapMs, () => {
      windows.delete(key);
      if (!entry.waiting) return;
      deliver(change);
      open(key, change);
    });
    windows.set(key, entry);
  };

  const offer = (change: Change): void => {
    if (listeners.size === 0) return;
    const key = `${change.subject}/${change.deviceId ?? ''}`;
    const entry = windows.get(key);
    if (entry !== undefined) {
      entry.waiting = true;
      return;
    }
    deliver(change);
    open(key, change);
  };

  return {
    publish: (change) => {
      tellOthers?.(change);
      offer(change);
    },
    repeat: (change) => offer(change),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    listenerCount: () => listeners.size,
    lastId: () => id,
    stop: () => {
      for (const entry of windows.values()) entry.cancel();
      windows.clear();
      listeners.clear();
    },
  };
}
