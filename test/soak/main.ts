/**
 * `npm run soak`: 10 000 restarts of an output and 1 000 changes of the settings, with a table of the memory; exit code 1 when
 * it grows. Fewer with --restarts and --changes; another bound with --bound-mb.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '../free-ports.ts';
import { runSoak } from './soak-run.ts';
import { growthOfSecondHalf, soakHeading, soakLine } from './soak-table.ts';

const megabyte = 1e6;
const { values } = parseArgs({
  options: {
    restarts: { type: 'string', default: '10000' },
    changes: { type: 'string', default: '1000' },
    rows: { type: 'string', default: '40' },
    /** For each of both processes, over the second half of the run. */
    'bound-mb': { type: 'string', default: '10' },
  },
});
const boundMb = wholeNumber('bound-mb');
const [rtmpPort = 0] = await freePorts(1);

// What was started is ended, and what was seen so far is judged.
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

process.stdout.write(`${soakHeading()}\n`);
const rows = await runSoak({
  outputRestarts: wholeNumber('restarts'),
  settingsChanges: wholeNumber('changes'),
  rows: wholeNumber('rows'),
  program: join(import.meta.dirname, '..', '..', '.build', 'agent', 'agent.js'),
  rtmpPort,
  signal: stopping.signal,
  onRow: (row) => process.stdout.write(`${soakLine(row)}\n`),
});
const { agentBytes, hostBytes } = growthOfSecondHalf(rows);
const hasGrown = agentBytes > boundMb * megabyte || hostBytes > boundMb * megabyte;
process.stdout.write(
  `growth over the second half: agent ${(agentBytes / megabyte).toFixed(1)} MB, media host ${(hostBytes / megabyte).toFixed(1)} MB; ` +
    `bound ${boundMb} MB each: ${hasGrown ? 'it grows' : 'flat'}\n`,
);
process.exitCode = hasGrown ? 1 : 0;

function wholeNumber(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name}: expected a whole number, came ${values[name]}`);
  return number;
}
