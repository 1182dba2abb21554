/** The machine is another program here: what counts is that its lines arrive and that it always ends. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isRunning } from '../processes.ts';
import { until } from '../until.ts';
import { qemuCommand, runMachine } from './machine.ts';

const generous = { lifeMs: 20_000, silenceMs: 20_000 };
const never = new AbortController().signal;
const program = (text: string) => [process.execPath, '--eval', text];
/** Tells its process number, then goes on for long. */
const stubborn = ['sh', '-c', 'echo $$; exec sleep 1000'];

test('a machine that switches itself off, and what it told', async () => {
  const lines: string[] = [];
  const end = await runMachine(program(`console.log('one'); console.log('two');`), generous, never, (line) => lines.push(line));
  expect(end).toEqual({ kind: 'switched-off' });
  expect(lines).toEqual(['one', 'two']);
});

test('one that is too late is killed, and is gone', async () => {
  const lines: string[] = [];
  const end = await runMachine(stubborn, { ...generous, lifeMs: 1500 }, never, (line) => lines.push(line));
  expect(end).toEqual({ kind: 'late', reason: 'expected the machine to be done within 1500 ms' });
  expect(lines).toHaveLength(1);
  expect(isRunning(Number(lines[0]))).toBe(false);
});

test('one that has nothing to say any more is killed', async () => {
  const end = await runMachine(stubborn, { ...generous, silenceMs: 700 }, never, () => undefined);
  expect(end).toEqual({ kind: 'late', reason: 'expected a line from the machine within 700 ms' });
});

test('one that somebody stops is killed; one that was stopped before is not even begun', async () => {
  const stop = new AbortController();
  const end = await runMachine(stubborn, generous, stop.signal, () => stop.abort());
  expect(end).toEqual({ kind: 'broken', reason: 'stopped from outside' });
  expect(await runMachine(stubborn, generous, stop.signal, () => undefined)).toEqual({ kind: 'broken', reason: 'stopped from outside' });
});

test('it does not outlive whoever runs it', async () => {
  const source = `import { runMachine } from '${import.meta.dirname}/machine.ts';
const bounds = { lifeMs: 60_000, silenceMs: 60_000 };
void runMachine(${JSON.stringify(stubborn)}, bounds, new AbortController().signal, (line) => {
  process.stdout.write(line + '\\n', () => process.kill(process.pid, 'SIGKILL'));
});`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source]).catch(
    (cause: Error & { stdout: string }) => cause,
  );
  const machine = Number(stdout);
  expect(machine).toBeGreaterThan(0);
  await until('the machine to be gone', 5000, () => !isRunning(machine));
});

test('one that fails says why, and one that is not there as well', async () => {
  const end = await runMachine(program(`console.error('no such machine'); process.exit(3);`), generous, never, () => undefined);
  expect(end).toEqual({ kind: 'broken', reason: 'the machine ended with 3: no such machine' });
  expect(await runMachine(['/no/such/program'], generous, never, () => undefined)).toMatchObject({ kind: 'broken' });
});

test('this machine is shared for reading only, and a comma in a path does not end it', () => {
  const files = { image: '/vmlinuz', initramfs: '/initramfs', consoleLog: '/tmp/a,b/console.log', outputFolder: '/tmp/a,b' };
  const words = qemuCommand(files);
  expect(words).toContain('local,id=machine,path=/,security_model=none,multidevs=remap,readonly=on');
  expect(words).toContain('local,id=output,path=/tmp/a,,b,security_model=none,multidevs=remap');
  expect(words.filter((word) => word.startsWith('local,')).length).toBe(2);
});
