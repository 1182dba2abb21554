/** Kills a media host again and again at random moments, and measures how long it takes until it gives frames again. */
import { setTimeout as delay } from 'node:timers/promises';
import { timeUntil, until } from '../../until.ts';

export type Victim = {
  /** Process id of the host that is connected at present; null while there is none. */
  readonly processId: () => number | null;
  /** Frames that this very process has given. */
  readonly frames: () => number | null;
};

export type KillOptions = {
  readonly times: number;
  /** The kill comes at any moment between the first frame and this long after it. */
  readonly longestLifeMs: number;
  readonly random: () => number;
  /** After each recovery: for whoever wants to look at more than frames. */
  readonly afterRecovery?: (killedAtMs: number, round: number) => Promise<void>;
};

const recoveryBoundMs = 20_000;

/** From each kill to the first frame of the next host, in ms, in the order of the kills. */
export async function killAgainAndAgain(victim: Victim, options: KillOptions): Promise<readonly number[]> {
  const recoveries: number[] = [];
  for (let round = 0; round < options.times; round += 1) {
    const former = await until('a host that gives frames', recoveryBoundMs, () => (victim.frames() ?? 0) > 0 && victim.processId());
    await delay(options.random() * options.longestLifeMs);
    const killedAtMs = performance.now();
    process.kill(former, 'SIGKILL');
    const isBack = () => victim.processId() !== former && victim.processId() !== null && (victim.frames() ?? 0) > 0;
    recoveries.push(await timeUntil('frames again', recoveryBoundMs, isBack));
    await options.afterRecovery?.(killedAtMs, round);
  }
  return recoveries;
}
