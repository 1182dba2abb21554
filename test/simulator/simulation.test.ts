/** Runs of the simulator from many seeds; SIMULATE_SEED plays one again, SIMULATE_SEEDS plays so many. */
import { expect, test } from 'vitest';
import { simulate } from './simulation.ts';

/** A run takes about a second of a quiet machine. */
const inTests = 20;
const only = process.env['SIMULATE_SEED'];
const count = Number(process.env['SIMULATE_SEEDS'] ?? inTests);
const first = Number(process.env['SIMULATE_FIRST'] ?? 1);
const seeds = only === undefined ? Array.from({ length: count }, (_, index) => first + index) : [Number(only)];

test(
  `${seeds.length} runs in which network, disks, clocks and the server fail by chance: nothing acknowledged is lost, nothing is done twice`,
  async () => {
    const failures: string[] = [];
    for (const seed of seeds) {
      await simulate(seed).catch((cause: unknown) => {
        failures.push(`seed ${seed} (npm run simulate -- --seed ${seed}): ${cause instanceof Error ? cause.message : String(cause)}`);
      });
    }
    expect(failures).toEqual([]);
  },
  60_000 + seeds.length * 20_000,
);
