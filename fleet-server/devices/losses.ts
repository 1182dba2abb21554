/**
 * How often the connection of a device was lost of late, and whether it comes and goes. Pure. Times are of a steady clock (`steadyTime`), since
 * their age is asked for.
 *
 * INVARIANT: only that a device was there and was lost counts. What a server does not know after its own start, or while it cannot hear devices,
 * says nothing of the device; nor does a device that said that it goes.
 */
import { steadySince } from '#fleet-server/clock.ts';

export type Losses = {
  /** Oldest first. */
  readonly atMs: readonly number[];
  /** Since when the connection comes and goes, by the time of day; null: it does not. */
  readonly unstableSinceMs: number | null;
};

export const noLosses: Losses = { atMs: [], unstableSinceMs: null };

/** It comes and goes from its fifth loss within an hour until none was for a quarter of one. */
export const lossPolicy = { least: 5, withinMs: 3_600_000, quietMs: 900_000, kept: 20 } as const;

export function lossesAfter({ atMs, unstableSinceMs }: Losses, nowMs: number, steadyNowMs: number): Losses {
  const recent = [...atMs, steadyNowMs].filter((ms) => steadyNowMs - ms < lossPolicy.withinMs).slice(-lossPolicy.kept);
  return { atMs: recent, unstableSinceMs: recent.length >= lossPolicy.least ? (unstableSinceMs ?? nowMs) : null };
}

/** What only time changes. The same object while nothing has changed. */
export function lossesNow(losses: Losses, steadyNowMs: number): Losses {
  if (losses.unstableSinceMs === null || isUnstable(losses.atMs, steadyNowMs)) return losses;
  return { ...losses, unstableSinceMs: null };
}

function isUnstable(atMs: readonly number[], steadyNowMs: number): boolean {
  const newest = atMs.at(-1);
  if (newest === undefined || steadyNowMs - newest >= lossPolicy.quietMs) return false;
  return atMs.filter((ms) => steadyNowMs - ms < lossPolicy.withinMs).length >= lossPolicy.least;
}

export function describeLosses({ atMs }: Losses): string {
  const minutes = Math.max(1, Math.ceil(((atMs.at(-1) ?? 0) - (atMs[0] ?? 0)) / 60_000));
  return `Its connection was lost ${atMs.length} times within ${minutes} min.`;
}

/** By the time of day, as the store and other servers take it. */
export function writeLosses({ atMs, unstableSinceMs }: Losses, nowMs: number, steadyNowMs: number): Losses {
  return { atMs: atMs.map((ms) => nowMs - (steadyNowMs - ms)), unstableSinceMs };
}

/** What is ahead of the clock was just now. */
export function readLosses({ atMs, unstableSinceMs }: Losses, nowMs: number, steadyNowMs: number): Losses {
  return lossesNow({ atMs: atMs.map((ms) => steadySince(ms, nowMs, steadyNowMs)), unstableSinceMs }, steadyNowMs);
}
