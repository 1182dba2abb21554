/** One name for the fleet server's commands and the device's, in a clone. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../device/temporary-directory.ts';

const root = join(import.meta.dirname, '..', '..');
const program = join(root, 'setup', 'makespacelive.mjs');

async function run(...argumentList: string[]) {
  const cwd = await temporaryDirectory();
  const env = { PATH: process.env['PATH'], HOME: cwd, FLEET_DATA_DIR: join(cwd, 'data') };
  const { status, stdout, stderr } = spawnSync(program, argumentList, { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr, cwd };
}

test('the package’s program is this one', () => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  expect(join(root, bin['makespacelive'] ?? '')).toBe(program);
});

test('what works beside the fleet server, with its exit code; paths are the caller’s', async () => {
  expect((await run('join-token')).stdout).toMatch(/^[A-Za-z0-9_-]{20,}\n$/);
  const refused = await run('backup', 'copies');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain(refused.cwd);
  expect((await run('backup')).status).toBe(64);
});

test('the device’s subcommands', async () => {
  const { status, stdout } = await run('--help');
  expect(status).toBe(0);
  for (const word of ['backup DIRECTORY', 'join-token', 'doctor', 'recordings']) expect(stdout).toContain(word);
  expect((await run('no-such-thing')).status).not.toBe(0);
});
