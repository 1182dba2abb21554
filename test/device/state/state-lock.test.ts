import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockStateDirectory } from '#device/state/state-lock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('one holder at a time; free again after its release', async () => {
  const directory = await temporaryDirectory();
  const first = await lockStateDirectory(directory);
  if (first.kind !== 'held') throw new Error('expected the lock');
  expect(await lockStateDirectory(directory)).toEqual({ kind: 'busy', holder: String(process.pid) });
  await Promise.all([first.release(), first.release()]);
  const second = await lockStateDirectory(directory);
  if (second.kind !== 'held') throw new Error('expected the lock');
  await second.release();
});

test('the lock of a process that was killed is taken over', async () => {
  const directory = await temporaryDirectory();
  const script = `
    const { lockStateDirectory } = await import('#device/state/state-lock.ts');
    console.log((await lockStateDirectory(${JSON.stringify(directory)})).kind);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect(await lockStateDirectory(directory)).toEqual({ kind: 'busy', holder: String(child.pid) });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await lockStateDirectory(directory);
  if (lock.kind !== 'held') throw new Error('expected the lock');
  await lock.release();
});

test('a process id that is left on disk locks nobody out', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'agent.pid'), '1\n');
  const lock = await lockStateDirectory(directory);
  if (lock.kind !== 'held') throw new Error('expected the lock');
  await lock.release();
});

test('of many that start at once, one gets it', async () => {
  const directory = await temporaryDirectory();
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => lockStateDirectory(directory)));
  const held = outcomes.filter((outcome) => outcome.kind === 'held');
  expect(held).toHaveLength(1);
  await held[0]?.release();
});
