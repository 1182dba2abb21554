/** Over which time the charts look, each with steps that the server keeps for so long. Pure. */

export const healthRanges = [
  { name: 'hour', title: 'Hour', words: 'the last hour', rangeMs: 3_600_000, stepS: 30 },
  { name: 'day', title: 'Day', words: 'the last day', rangeMs: 86_400_000, stepS: 300 },
  { name: 'month', title: 'Month', words: 'the last 30 days', rangeMs: 30 * 86_400_000, stepS: 10_800 },
  { name: 'year', title: 'Year', words: 'the last year', rangeMs: 365 * 86_400_000, stepS: 86_400 },
] as const;
export type HealthRange = (typeof healthRanges)[number];
export type HealthRangeName = HealthRange['name'];

/** A chart of a long time moves on, and is read again, no less often than this. */
const slowestMs = 300_000;

export function healthRange(name: HealthRangeName): HealthRange {
  return healthRanges.find((range) => range.name === name) ?? healthRanges[0];
}

/** The chart moves on in these steps, not each second. */
export function moveMs({ stepS }: Pick<HealthRange, 'stepS'>): number {
  return Math.min(stepS * 1000, slowestMs);
}

type Sample = { readonly at: string };

/** The samples with null where none came for more than one step: nothing was measured there, and no line is drawn over it. */
export function withGaps<Of extends Sample>(samples: readonly Of[], stepS: number): readonly (Of | null)[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1];
    const isGap = before !== undefined && Date.parse(sample.at) - Date.parse(before.at) > stepS * 1500;
    return isGap ? [null, sample] : [sample];
  });
}
