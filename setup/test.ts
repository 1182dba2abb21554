/**
 * Every check and every test, one after the other; the first that fails ends the run with its exit code. With `long`: the tests that take
 * minutes of real time, and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = import.meta.dirname.slice(0, -'/setup'.length);
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const isLong = process.argv.includes('long');
const projects = isLong ? ['long'] : ['rooms', 'postgresql', 'system'];

const checks: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] = [
  // One checker: several would each work out the same schemas' types, which takes twice as long on two cores.
  { name: 'Types and walls between the rooms', command: [bin('tsc'), '--build', '--checkers', '1'] },
  { name: 'Style and forbidden imports', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'Tests', command: [bin('vitest'), 'run', ...projects.flatMap((project) => ['--project', project])] },
];

for (const { name, command } of isLong ? checks.slice(-1) : checks) {
  const [program, ...args] = command;
  process.stdout.write(`\n== ${name}\n`);
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stderr.write(`\nFailed: ${name} (${signal ?? `exit code ${status}`}).\n`);
    process.exit(status ?? 1);
  }
}
