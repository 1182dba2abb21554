/** What is wrong with a device, and what was said of it, from look to look: pure. */
import { type WatchdogFault, watchdogFaults } from '#protocol/model/watchdog.ts';

/** One that is gone is remembered until it is forgiven. */
export type SeenFault = {
  readonly kind: WatchdogFault;
  readonly isThere: boolean;
  /** Since when it is there, or gone. */
  readonly sinceMs: number;
  /** That it is there, or that nothing helps. */
  readonly hasSaid: boolean;
};

/** At most one of each kind. */
export function faultsAfter(
  before: readonly SeenFault[],
  there: readonly WatchdogFault[],
  forgiveAfterMs: number,
  nowMs: number,
): readonly SeenFault[] {
  if (before.length === 0 && there.length === 0) return before;
  return watchdogFaults.flatMap((kind): SeenFault[] => {
    const known = before.find((fault) => fault.kind === kind);
    const isThere = there.includes(kind);
    if (known === undefined) return isThere ? [{ kind, isThere, sinceMs: nowMs, hasSaid: false }] : [];
    if (known.isThere !== isThere) return [{ ...known, isThere, sinceMs: nowMs }];
    return isThere || nowMs - known.sinceMs < forgiveAfterMs ? [known] : [];
  });
}

/** Nobody looks: what was said stays said, and is not forgiven meanwhile. */
export function unseen(faults: readonly SeenFault[], nowMs: number): readonly SeenFault[] {
  return faults.flatMap((fault) => (fault.hasSaid ? [{ ...fault, isThere: false, sinceMs: nowMs }] : []));
}

export function saidOf(faults: readonly SeenFault[], kind: WatchdogFault, hasSaid: boolean): readonly SeenFault[] {
  return faults.map((fault) => (fault.kind === kind ? { ...fault, hasSaid } : fault));
}
