/** Runs of the simulator from some seeds; `npm run simulate` plays thousands. */
import { describe, expect, test } from 'vitest';
import { type Sabotage, sabotages } from './sabotage.ts';
import { simulate } from './simulation.ts';

const seedsInTests = 5;
const seedsPerSabotage = 12;

/** Where the first of the runs does not see it. */
const firstSeeds: Partial<Record<Sabotage, number>> = {
  'command forgotten by the device': 103,
  'silent connection not noticed': 107,
  'roll-out goes on past its threshold': 108,
  'roll-out taken back in words only': 104,
  'watchdog heeds no window': 230,
  'watchdog asleep after a window': 143,
  'what the watchdog asked for heeds no window': 143,
  'alerts heed no window': 108,
  'held back for good': 126,
  'losses forgotten': 105,
  'alert never over': 101,
  'relay taken as running': 110,
  'relay told of by each device': 180,
  'recovery told at once': 110,
};

const from = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe('network, disks, clocks and the server fail by chance', () => {
  test('nothing acknowledged is lost, nothing is done twice, nobody is shown as what they are not', async () => {
    for (const seed of from(1, seedsInTests)) {
      await simulate(seed).catch((cause: unknown) => {
        throw new Error(`npm run simulate -- --seed ${seed}`, { cause });
      });
    }
  }, 60_000);

  test('a seed that is played again is the same run to the last line of the log', async () => {
    const once = await simulate(7);
    await simulate(8);
    expect(await simulate(7)).toEqual(once);
  });

  test.each(Object.entries(sabotages) as [Sabotage, RegExp][])(
    'is seen: %s',
    async (sabotage, words) => {
      for (const seed of from(firstSeeds[sabotage] ?? 100, seedsPerSabotage)) {
        const outcome = await simulate(seed, sabotage).then(
          () => 'nothing was seen',
          (cause: unknown) => String(cause),
        );
        if (outcome === 'nothing was seen') continue;
        expect(outcome).toMatch(words);
        return;
      }
      expect.unreachable(`expected one of ${seedsPerSabotage} runs to see it`);
    },
    60_000,
  );
});
