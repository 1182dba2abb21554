/** What an uplink goes through in a bad hour, and what a viewer at its far side saw of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ShapedLink } from './constrained-link.ts';
import type { Arrival } from './far-side.ts';

export type Stage =
  | { readonly kind: 'rate'; readonly kbps: number; readonly lengthS: number }
  | { readonly kind: 'cut'; readonly lengthS: number };

/** From three megabits to a fifth and back, then nothing at all for twenty seconds. */
export const badHour: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 10 },
  { kind: 'rate', kbps: 600, lengthS: 25 },
  { kind: 'rate', kbps: 3000, lengthS: 35 },
  { kind: 'cut', lengthS: 20 },
  { kind: 'rate', kbps: 3000, lengthS: 12 },
];

/** The same in a minute, with the whole cut: what a test has time for. */
export const badMinute: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 6 },
  { kind: 'rate', kbps: 600, lengthS: 12 },
  // Where it was at 800 when the link widened, this is approached again with patience only.
  { kind: 'rate', kbps: 3000, lengthS: 24 },
  { kind: 'cut', lengthS: 20 },
  { kind: 'rate', kbps: 3000, lengthS: 6 },
];

export type StageTimes = {
  readonly stage: Stage;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly bitrateKbps: readonly number[];
};

/** Time has to pass here: it is the link's. `bitrateKbps` is asked for each half second. */
export async function passThrough(link: ShapedLink, stages: readonly Stage[], bitrateKbps: () => number): Promise<readonly StageTimes[]> {
  const times: StageTimes[] = [];
  for (const stage of stages) {
    if (stage.kind === 'rate') link.shape(stage.kbps);
    else link.cut();
    const fromMs = performance.now();
    const seen: number[] = [];
    while (performance.now() - fromMs < stage.lengthS * 1000) {
      await delay(500);
      seen.push(bitrateKbps());
    }
    if (stage.kind === 'cut') link.mend();
    times.push({ stage, fromMs, untilMs: performance.now(), bitrateKbps: seen });
  }
  return times;
}

/** Of one connection: time stamps that only grow. */
export type Passage = {
  /** By how much each picture came later than the one that came with the least delay. */
  readonly lags: readonly { readonly atMs: number; readonly lagMs: number }[];
  /** Pictures that are missing inside a group: what a decoder would show torn. */
  readonly gapsInGroups: number;
  readonly groups: number;
};

const longestStepMs = 70;

export function passages(arrivals: readonly Arrival[]): readonly Passage[] {
  const runs: Arrival[][] = [];
  for (const arrival of arrivals) {
    const last = runs.at(-1)?.at(-1);
    if (last === undefined || arrival.dtsMs < last.dtsMs - 1000) runs.push([]);
    runs.at(-1)?.push(arrival);
  }
  return runs.map((run) => {
    const leastMs = Math.min(...run.map(({ atMs, dtsMs }) => atMs - dtsMs));
    return {
      lags: run.map(({ atMs, dtsMs }) => ({ atMs, lagMs: atMs - dtsMs - leastMs })),
      gapsInGroups: run.filter(({ dtsMs, isKeyframe }, index) => !isKeyframe && dtsMs - (run[index - 1]?.dtsMs ?? dtsMs) > longestStepMs)
        .length,
      groups: run.filter(({ isKeyframe }) => isKeyframe).length,
    };
  });
}

/**
 * Groups of which some pictures came and some did not, held against all that were made. The first and the last that came do not
 * count: a viewer comes and goes in the middle of one.
 */
export function tornGroups(arrivals: readonly Arrival[], made: readonly Arrival[]): number {
  const came = new Set(arrivals.map(({ checksum }) => checksum));
  const groups: boolean[][] = [];
  for (const { checksum, isKeyframe } of made) {
    if (isKeyframe) groups.push([]);
    groups.at(-1)?.push(came.has(checksum));
  }
  const seen = groups.filter((group) => group.includes(true));
  return seen.slice(1, -1).filter((group) => group.includes(false)).length;
}
