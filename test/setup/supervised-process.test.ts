import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProcessExit, SupervisedProcess } from '#setup/supervised-process.ts';
import { isRunning, processesWith } from '../processes.ts';
import { until } from '../until.ts';

let folder: string;
const started: SupervisedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'makespacelive-supervised-'));
});
afterEach(async () => {
  for (const supervised of started.splice(0)) await supervised.stop();
  expect(processesWith(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

function supervise(script: string, goesOn: (exit: ProcessExit) => boolean = () => true) {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, script);
  const messages: unknown[] = [];
  const exits: (ProcessExit & { readonly restartInMs: number })[] = [];
  const supervised = new SupervisedProcess({
    name: 'the program',
    command: [process.execPath, file],
    environment: async () => ({ PATH: process.env['PATH'], FOLDER: folder }),
    onMessage: (message) => messages.push(message),
    onExit(exit, restartInMs) {
      exits.push({ ...exit, restartInMs });
      return goesOn(exit);
    },
  });
  started.push(supervised);
  return { supervised, messages, exits };
}

const announceAndStay = `process.send({ pid: process.pid }); setInterval(() => {}, 1000); process.on('disconnect', () => process.exit());`;

test('a killed program is started again, and the delay grows', async () => {
  const { supervised, messages, exits } = supervise(announceAndStay);
  await supervised.start();
  for (const run of [1, 2, 3]) {
    await until(`run ${run}`, 10_000, () => messages.length === run);
    process.kill(Number(supervised.processId()), 'SIGKILL');
  }
  await until('run 4', 10_000, () => messages.length === 4);
  expect(exits.map(({ signal, restartInMs }) => ({ signal, restartInMs }))).toEqual([
    { signal: 'SIGKILL', restartInMs: 200 },
    { signal: 'SIGKILL', restartInMs: 400 },
    { signal: 'SIGKILL', restartInMs: 800 },
  ]);
});

test('what a killed program left behind is ended by stop', async () => {
  const { supervised, messages } = supervise(`
    import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', process.env.FOLDER], { stdio: 'ignore' });
    process.send({ child: child.pid });
    setInterval(() => {}, 1000);
  `);
  await supervised.start();
  const [first] = await until('the first run', 10_000, () => messages.length === 1 && (messages as { child: number }[]));
  process.kill(Number(supervised.processId()), 'SIGKILL');
  await until('the second run', 10_000, () => messages.length === 2);
  expect(isRunning(first?.child ?? 0)).toBe(true);
  await supervised.stop();
  await until('no process left', 5000, () => processesWith(folder).length === 0);
});

test('stop is soft, and may be called twice', async () => {
  const file = () => readFileSync(join(folder, 'said'), 'utf8');
  const { supervised, messages } = supervise(`
    import { writeFileSync } from 'node:fs';
    process.on('SIGTERM', () => { writeFileSync(process.env.FOLDER + '/said', 'goodbye'); process.exit(0); });
    process.send('ready');
    setInterval(() => {}, 1000);
  `);
  await supervised.start();
  await until('the program', 10_000, () => messages.length === 1);
  await Promise.all([supervised.stop(), supervised.stop()]);
  await supervised.stop();
  expect(file()).toBe('goodbye');
});

test('an answer of false ends the supervision', async () => {
  const { supervised, exits } = supervise('process.exit(78);', () => false);
  await supervised.start();
  await until('the exit', 10_000, () => exits.length === 1);
  expect(exits[0]).toMatchObject({ code: 78 });
  expect(supervised.processId()).toBeUndefined();
});
