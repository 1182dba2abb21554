/**
 * Gathers what has become old and has it read again a few times a second at most.
 *
 * INVARIANTS
 * - What becomes old while it is being read is read once more afterwards: the last change of a burst is never missed.
 * - A reading that hangs holds the queue up for `patienceMs` at most.
 * - What waits is bounded by the number of different prefixes.
 */
import type { QueryPrefix } from './affected.ts';
export type RefreshQueueOptions = {
    readonly refresh: (prefixes: readonly QueryPrefix[]) => Promise<unknown>;
    /** Calls back once, after so many milliseconds; the answer cancels. */
    readonly after: (delayMs: number, act: () => void) => () => void;
};
export declare class RefreshQueue {
    #private;
    constructor(options: RefreshQueueOptions);
    add(prefixes: readonly QueryPrefix[]): void;
    stop(): void;
}
