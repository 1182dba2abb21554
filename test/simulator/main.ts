/** `npm run simulate`: thousands of runs; `-- --seeds 200 --first 5000` for others, `-- --seed 7` for one that failed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string', default: '2000' }, first: { type: 'string', default: '1' } },
});

const { status, error } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'rooms', 'test/simulator'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    SIMULATE_SEEDS: values.seeds,
    SIMULATE_FIRST: values.first,
    ...(values.seed === undefined ? {} : { SIMULATE_SEED: values.seed }),
  },
});
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
