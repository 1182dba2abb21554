/** `npm run simulate`: thousands of runs; `-- --seeds 200 --first 5000` for others, `-- --seed 7` for one that failed. */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string', default: '3000' }, first: { type: 'string', default: '1' } },
});
const first = Number(values.seed ?? values.first);
const count = values.seed === undefined ? Number(values.seeds) : 1;

let seed = first;
let failed = 0;
let slowestMs = 0;
const fail = (cause: unknown): void => {
  failed += 1;
  process.exitCode = 1;
  const text = cause instanceof Error ? (values.seed === undefined ? cause.message : (cause.stack ?? cause.message)) : String(cause);
  process.stdout.write(`seed ${seed} (npm run simulate -- --seed ${seed}): ${text}\n`);
};
process.on('unhandledRejection', fail);

const startedMs = performance.now();
const cpuBefore = process.cpuUsage();
for (; seed < first + count; seed += 1) {
  await simulate(seed).then(({ settledMs }) => {
    slowestMs = Math.max(slowestMs, settledMs);
  }, fail);
}
const { user, system } = process.cpuUsage(cpuBefore);
const tookS = (performance.now() - startedMs) / 1000;
process.stdout.write(
  `${count} runs in ${tookS.toFixed(1)} s (${((user + system) / 1000 / count).toFixed(0)} ms of one core each), ${failed} failed; ` +
    `all was as it must be at the latest ${slowestMs / 1000} s after the last fault\n`,
);
