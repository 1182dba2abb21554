/** `npm run fuzz`: over 100 000 inputs; others with --inputs, and a run that found something again with --seed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { inputs: { type: 'string', default: '120000' }, seed: { type: 'string' } } });

const { status, error } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'rooms', 'test/fuzz'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_INPUTS: values.inputs, ...(values.seed === undefined ? {} : { FUZZ_SEED: values.seed }) },
});
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
