/** What is wrong with a device, and what was said of it, from look to look: pure. */
import { type WatchdogFault, type WatchdogPolicy, watchdogFaults } from '#protocol/model/watchdog.ts';

/** One that is gone is remembered until it is forgiven. */
export type SeenFault = {
  readonly kind: WatchdogFault;
  readonly isThere: boolean;
  /** Since when it is there, or gone. */
  readonly sinceMs: number;
  /** How long it was there before that, as far as it still counts; bounded by how long it must last. */
  readonly earlierMs: number;
  /** That it is there, or that nothing helps. */
  readonly hasSaid: boolean;
};

/** How long it has been there: a time without it does not end that, but takes half of its own length from it. */
export function heldMs({ isThere, sinceMs, earlierMs }: SeenFault, nowMs: number): number {
  const passedMs = nowMs - sinceMs;
  return Math.max(0, earlierMs + (isThere ? passedMs : -passedMs / 2));
}

/** At most one of each kind. */
export function faultsAfter(
  before: readonly SeenFault[],
  there: readonly WatchdogFault[],
  { faults, forgiveAfterS }: WatchdogPolicy,
  nowMs: number,
): readonly SeenFault[] {
  if (before.length === 0 && there.length === 0) return before;
  return watchdogFaults.flatMap((kind): SeenFault[] => {
    const known = before.find((fault) => fault.kind === kind);
    const isThere = there.includes(kind);
    if (known === undefined) return isThere ? [{ kind, isThere, sinceMs: nowMs, earlierMs: 0, hasSaid: false }] : [];
    const earlierMs = Math.min(heldMs(known, nowMs), faults[kind].holdS * 1000);
    if (known.isThere !== isThere) return [{ ...known, isThere, sinceMs: nowMs, earlierMs }];
    return isThere || nowMs - known.sinceMs < forgiveAfterS * 1000 ? [known] : [];
  });
}

/** Nobody looks: what was said stays said, and is not forgiven meanwhile. */
export function unseen(faults: readonly SeenFault[], nowMs: number): readonly SeenFault[] {
  return faults.flatMap((fault) => (fault.hasSaid ? [{ ...fault, isThere: false, sinceMs: nowMs, earlierMs: 0 }] : []));
}

export function saidOf(faults: readonly SeenFault[], kind: WatchdogFault, hasSaid: boolean): readonly SeenFault[] {
  return faults.map((fault) => (fault.kind === kind ? { ...fault, hasSaid } : fault));
}
