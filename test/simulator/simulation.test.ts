/** Runs of the simulator from some seeds; `npm run simulate` plays thousands. */
import { describe, expect, test } from 'vitest';
import { type Sabotage, sabotages } from './sabotage.ts';
import { simulate } from './simulation.ts';

const seedsInTests = 20;
const seedsPerSabotage = 12;

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
      for (const seed of from(100, seedsPerSabotage)) {
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
