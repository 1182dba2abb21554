/** Since when each condition has lasted, and whether it has lasted long enough to be shown. Pure. */
import { timeOf } from '#device/media/clock.ts';
import { type Condition, type ConditionCode, conditionDefinitions } from '#protocol/conditions.ts';

export type ObservedCondition = { readonly code: ConditionCode; readonly detail?: string };

type Lasting = {
  /** Wall clock, for people: put right when that is. */
  readonly since: string;
  /** Monotonic, for measuring: a correction of the clock must not raise an alarm. */
  readonly sinceMs: number;
  readonly detail: string | undefined;
};

export type TrackedConditions = ReadonlyMap<ConditionCode, Lasting>;

export const noConditions: TrackedConditions = new Map();

export function trackConditions(
  before: TrackedConditions,
  observed: readonly ObservedCondition[],
  time: { readonly nowMs: number; readonly monotonicMs: number },
): TrackedConditions {
  return new Map(
    observed.map(({ code, detail }) => {
      const known = before.get(code);
      const since = known === undefined ? new Date(time.nowMs).toISOString() : timeOf(known.since, known.sinceMs, time);
      return [code, { since, sinceMs: known?.sinceMs ?? time.monotonicMs, detail: detail?.slice(0, 500) }];
    }),
  );
}

/** Those that have lasted as long as their definition asks. */
export function shownConditions(tracked: TrackedConditions, monotonicMs: number): Condition[] {
  return [...tracked]
    .filter(([code, { sinceMs }]) => monotonicMs - sinceMs >= conditionDefinitions[code].holdMs)
    .map(([code, { since, detail }]) => ({ code, since, ...(detail === undefined ? {} : { detail }) }));
}
