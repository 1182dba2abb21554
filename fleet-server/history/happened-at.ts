/**
 * When something happened of which a device tells, by the server's clock: pure. An event may arrive hours late, and the device's clock may be
 * wrong by years.
 *
 * INVARIANTS
 * - A device's events stand in the order of their numbers, whatever its clock says.
 * - None happened after it arrived, unless the server's own clock was set back meanwhile.
 */
export type ToldTimes = {
  /** By the device's clock; undefined: it names a time that is none. */
  readonly atMs: number | undefined;
  /** When it was sent, by the same clock. */
  readonly sentAtMs: number | undefined;
  /** By the server's clock. */
  readonly arrivedAtMs: number;
};

/** Of the events before and after it in number; of the joining where there is none before it. */
export type Neighbours = { readonly beforeMs: number; readonly afterMs: number | null };

/** What the way takes, and what clocks that are set differ by. */
const clockToleranceMs = 5000;

export function happenedAtMs(told: ToldTimes, { beforeMs, afterMs }: Neighbours): number {
  const latestMs = Math.min(told.arrivedAtMs, afterMs ?? told.arrivedAtMs);
  return Math.max(beforeMs, Math.min(latestMs, claimedAtMs(told)));
}

/** Of a clock that is wrong only how long ago it was counts: a clock that goes wrong still goes. */
function claimedAtMs({ atMs, sentAtMs, arrivedAtMs }: ToldTimes): number {
  if (atMs === undefined) return arrivedAtMs;
  if (sentAtMs === undefined || Math.abs(arrivedAtMs - sentAtMs) <= clockToleranceMs) return atMs;
  return arrivedAtMs - (sentAtMs - atMs);
}
