/** `npm run simulate`: thousands of runs; `-- --seeds 200 --first 5000` for others, `-- --seed 7` for one that failed. */
import { readArguments, usage } from './read-arguments.ts';
import { simulate } from './simulation.ts';

const asked = readArguments(process.argv.slice(2));
if (asked.kind === 'help') process.stdout.write(usage);
else if (asked.kind === 'wrong') {
  process.stderr.write(`${asked.problem}\n\n${usage}`);
  process.exitCode = 2;
} else await play(asked.first, asked.count, asked.isReplay);

async function play(first: number, count: number, isReplay: boolean): Promise<void> {
  let seed = first;
  let failed = 0;
  let slowestMs = 0;
  const fail = (cause: unknown): void => {
    failed += 1;
    process.exitCode = 1;
    const text = cause instanceof Error ? (isReplay ? (cause.stack ?? cause.message) : cause.message) : String(cause);
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
}
