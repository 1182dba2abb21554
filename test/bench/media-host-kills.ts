/** A media host that is killed again and again: how long until it gives frames, and until a relay has a publisher again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { killAgainAndAgain } from '../device/media/host-killer.ts';
import { testPlan } from '../device/media/test-plan.ts';
import { TestRelay } from '../device/media/test-relay.ts';
import { until } from '../until.ts';

export type KillFigures = {
  readonly framesMs: readonly number[];
  readonly relayMs: readonly number[];
  /** What happened and when, of each recovery that took too long. */
  readonly stories: readonly string[];
};

const longestLifeMs = 2500;
const tooLongMs = 2000;

export async function measureKills(times: number): Promise<KillFigures> {
  const relay = await TestRelay.start();
  const directory = await mkdtemp(join(tmpdir(), 'makespacelive-kills-'));
  let told: string[] = [];
  const tell = (words: string): number => told.push(`${Math.round(performance.now())} ${words}`);
  const log = { info: tell, warn: tell };
  const supervisor = new MediaHostSupervisor({ stateDirectory: directory, clock: systemClock, log });
  const relayMs: number[] = [];
  const stories: string[] = [];
  supervisor.onEvent(({ event, detail }) => tell(`${event} ${detail}`));
  try {
    await supervisor.start();
    await supervisor.apply(testPlan({ picture: { width: 1280, height: 720 }, target: relay.target }));
    let publisher = await until('a publisher', 10_000, () => relay.publisherId());
    const framesMs = await killAgainAndAgain(
      { processId: () => supervisor.processId(), frames: () => supervisor.status()?.framesTotal ?? null },
      {
        times,
        longestLifeMs,
        random: Math.random,
        afterRecovery: async (killedAtMs) => {
          if (performance.now() - killedAtMs > tooLongMs) stories.push([`${Math.round(killedAtMs)} killed`, ...told].join('\n    '));
          told = [];
          publisher = await until('the next publisher', 20_000, async () => {
            const next = await relay.publisherId();
            return next !== publisher && next;
          });
          relayMs.push(Math.round(performance.now() - killedAtMs));
        },
      },
    );
    return { framesMs, relayMs, stories };
  } finally {
    await supervisor.stop();
    await relay.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
