/** What `npm run simulate` is asked for. */
import { parseArgs } from 'node:util';

export type SimulatorArguments =
  | { readonly kind: 'run'; readonly first: number; readonly count: number; readonly isReplay: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

export const usage = `Usage: npm run simulate -- [--seeds 3000] [--first 1]
       npm run simulate -- --seed 7

  --seeds  how many runs
  --first  the seed of the first of them
  --seed   one run alone, with where it failed
`;

const options = {
  seed: { type: 'string' },
  seeds: { type: 'string', default: '3000' },
  first: { type: 'string', default: '1' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function readArguments(args: readonly string[]): SimulatorArguments {
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (err) {
    return { kind: 'wrong', problem: err instanceof Error ? err.message : String(err) };
  }
  if (values.help) return { kind: 'help' };
  const numbers = { seeds: values.seeds, first: values.first, ...(values.seed === undefined ? {} : { seed: values.seed }) };
  const wrong = Object.entries(numbers).filter(([, text]) => !/^[1-9]\d{0,8}$/.test(text));
  if (wrong.length > 0) {
    const problems = wrong.map(([name, text]) => `Expected a whole number from 1 to 999999999 as --${name}, got ${JSON.stringify(text)}.`);
    return { kind: 'wrong', problem: problems.join(' ') };
  }
  const { seed } = values;
  return {
    kind: 'run',
    first: Number(seed ?? values.first),
    count: seed === undefined ? Number(values.seeds) : 1,
    isReplay: seed !== undefined,
  };
}
