/** Which of the three tables answers a chart: the coarsest that has the step asked for, among those that still reach back so far. Pure. */
export const resolutions = {
  raw: { bucketMs: 1, keptMs: 24 * 3_600_000 },
  minutes: { bucketMs: 60_000, keptMs: 31 * 24 * 3_600_000 },
  hours: { bucketMs: 3_600_000, keptMs: 731 * 24 * 3_600_000 },
} as const;
export type Resolution = keyof typeof resolutions;

export type ChartRange = { readonly fromMs: number; readonly toMs: number; readonly stepS: number };
export type ChartPlan = ChartRange & { readonly resolution: Resolution };

/** The step grows to a whole number of the table's own steps; the answer says which it became. */
export function planChart({ fromMs, toMs, stepS }: ChartRange, nowMs: number): ChartPlan {
  const reaching = reachOf(fromMs, nowMs);
  const bucketS = Math.max(1, resolutions[reaching].bucketMs / 1000);
  const step = Math.ceil(stepS / bucketS) * bucketS;
  const resolution = step % 3600 === 0 ? 'hours' : step % 60 === 0 ? 'minutes' : 'raw';
  const { bucketMs } = resolutions[resolution];
  // A bucket that has begun before is part of the chart: its first point is otherwise missing.
  return { resolution, fromMs: Math.floor(fromMs / bucketMs) * bucketMs, toMs, stepS: step };
}

function reachOf(fromMs: number, nowMs: number): Resolution {
  const ageMs = nowMs - fromMs;
  if (ageMs <= resolutions.raw.keptMs) return 'raw';
  return ageMs <= resolutions.minutes.keptMs ? 'minutes' : 'hours';
}
