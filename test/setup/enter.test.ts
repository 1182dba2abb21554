/** The way in, with a program in the agent's place that says how often it was started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startMeAnew } from '#device/exit-codes.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'makespacelive-enter-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Ends with the next of the codes at each start; with null it stays. */
function enter(purpose: string, exitCodes: readonly (number | null)[]) {
  const program = join(folder, 'program.mjs');
  const countFile = join(folder, 'starts');
  writeFileSync(countFile, '');
  writeFileSync(
    program,
    `import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(countFile)}, 'x');
    const code = ${JSON.stringify(exitCodes)}[readFileSync(${JSON.stringify(countFile)}, 'utf8').length - 1];
    if (code !== null) process.exit(code ?? 9);
    process.on('SIGTERM', () => process.exit(${startMeAnew}));
    setInterval(() => {}, 1000);
    console.log('stays');`,
  );
  const child = spawn(process.execPath, [join(root, 'setup', 'enter.mjs'), purpose, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, starts: () => readFileSync(countFile, 'utf8').length };
}

test('an agent that wants to be started anew is, until it ends for another reason', async () => {
  const { child, starts } = enter('device', [startMeAnew, 3]);
  expect(await once(child, 'exit')).toEqual([3, null]);
  expect(starts()).toBe(2);
});

test('an agent that was told to stop is not started again, whatever it ends with', async () => {
  const { child, starts } = enter('device', [null]);
  for await (const chunk of child.stdout) if (String(chunk).includes('stays')) break;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([startMeAnew, null]);
  expect(starts()).toBe(1);
});
