/** How many inputs are tried: some thousands in the tests, over a hundred thousand by `npm run fuzz`, which sets FUZZ_INPUTS. */
import type fc from 'fast-check';

const inTests = 3000;

const total = Number(process.env['FUZZ_INPUTS'] ?? inTests);

/** A share of them all, by parts of a hundred. */
export function runs(percent: number): number {
  return Math.max(20, Math.round((total * percent) / 100));
}

/**
 * A run that found something is repeated with FUZZ_SEED, which its report names. The server remembers what came before: a shorter
 * input would be tried on another state, and say nothing.
 */
export function parameters<T>(numRuns: number): fc.Parameters<T> {
  // Among the tests the same inputs each time, so that who broke something is who sees it; `npm run fuzz` looks for new ones.
  const seed = process.env['FUZZ_SEED'] ?? (process.env['FUZZ_INPUTS'] === undefined ? '2081524166' : undefined);
  return { numRuns, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

/** Of a run that may take an hour. */
export const longTimeoutMs = Math.max(60_000, total * 20);

/** What the server logged as its own failure. */
export function failuresIn(log: string): string[] {
  return log.split('\n').filter((line) => line.includes('"level":50') || line.includes('"level":60'));
}
