/** A camera that drops off the bus again and again: a bad cable, too little power, a tired hub. Pure. */

export type CameraLosses = {
  /** As the media host counted last; a new one counts from nought again. */
  readonly counted: number;
  /** Monotonic; no more than are needed. */
  readonly timesMs: readonly number[];
};

export const noLosses: CameraLosses = { counted: 0, timesMs: [] };

const windowMs = 10 * 60_000;
export const unstableFrom = 3;
const kept = 32;

export function rememberLosses(before: CameraLosses, counted: number, monotonicMs: number): CameraLosses {
  if (counted === before.counted) return before;
  const grown = counted > before.counted ? counted - before.counted : counted;
  const fresh = Array.from({ length: Math.min(grown, kept) }, () => monotonicMs);
  return { counted, timesMs: [...before.timesMs, ...fresh].slice(-kept) };
}

/** How often within the last ten minutes. */
export function recentLosses({ timesMs }: CameraLosses, monotonicMs: number): number {
  return timesMs.filter((timeMs) => monotonicMs - timeMs < windowMs).length;
}
