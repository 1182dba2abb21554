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

/** When the events before and after it in number happened, as far as they are known, and when the device joined: it may have lived before. */
export type Neighbours = { readonly beforeMs: number | null; readonly afterMs: number | null; readonly joinedAtMs: number };

/** What the way takes, and what clocks that are set differ by. */
const clockToleranceMs = 5000;

/** What is claimed to be older was told by a clock that nobody had set, and may be of any time. */
const oldestBelievedMs = Date.UTC(2024);

export function happenedAtMs(told: ToldTimes, { beforeMs, afterMs, joinedAtMs }: Neighbours): number {
  const claimedMs = claimedAtMs(told);
  const believedMs = claimedMs < oldestBelievedMs ? (beforeMs ?? joinedAtMs) : claimedMs;
  const latestMs = Math.min(told.arrivedAtMs, afterMs ?? told.arrivedAtMs);
  return Math.max(beforeMs ?? Number.NEGATIVE_INFINITY, Math.min(latestMs, believedMs));
}

/** Of a clock that is wrong only how long ago it was counts: a clock that goes wrong still goes. */
function claimedAtMs({ atMs, sentAtMs, arrivedAtMs }: ToldTimes): number {
  if (atMs === undefined) return arrivedAtMs;
  if (sentAtMs === undefined || Math.abs(arrivedAtMs - sentAtMs) <= clockToleranceMs) return atMs;
  return arrivedAtMs - (sentAtMs - atMs);
}
