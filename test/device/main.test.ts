/** The program as it is started: what it says and how it ends when it cannot run. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockStateDirectory } from '#device/state/state-lock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const program = join(import.meta.dirname, '..', '..', 'device', 'main.ts');

type Ending = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

async function runAgent(environment: Record<string, string>, ...commandLine: string[]): Promise<Ending> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...commandLine], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('wrong configuration: every problem, no secret, no half start', async () => {
  const directory = await temporaryDirectory();
  const stateDirectory = join(directory, 'state');
  const { exitCode, stdout, stderr } = await runAgent({
    AGENT_STATE_DIR: stateDirectory,
    AV_VIDEO_WIDTH: 'wide',
    AV_STREAM_KEY: 'a secret with spaces',
    FLEET_URL: 'ftp://fleet',
  });
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trim().split('\n')).toHaveLength(4);
  expect(stderr).not.toContain('a secret with spaces');
  expect(await readdir(directory)).toEqual([]);
});

test('a fleet without a join token, before the device has joined', async () => {
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const { exitCode, stderr } = await runAgent({ AGENT_STATE_DIR: stateDirectory, FLEET_URL: 'http://127.0.0.1:9' });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(
    'FLEET_JOIN_TOKEN: expected a join token, because this device has not joined http://127.0.0.1:9 yet, got nothing',
  );
});

test('a second agent on the same state directory is refused with a clear line', async () => {
  const stateDirectory = join(await temporaryDirectory(), 'state');
  await mkdir(stateDirectory, { mode: 0o700 });
  const lock = await lockStateDirectory(stateDirectory);
  if (lock.kind !== 'held') throw new Error('expected the lock');
  const { exitCode, stderr } = await runAgent({ AGENT_STATE_DIR: stateDirectory });
  await lock.release();
  expect(exitCode).toBe(3);
  expect(stderr).toBe(
    `Another agent (process ${process.pid}) uses the state directory ${stateDirectory}: stop it, or give this one another AGENT_STATE_DIR.\n`,
  );
});

test('a state directory that cannot be made is one clear line', async () => {
  const file = join(await temporaryDirectory(), 'file');
  await writeFile(file, '');
  const { exitCode, stderr } = await runAgent({ AGENT_STATE_DIR: join(file, 'state') });
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/^The state directory \S+ cannot be used \(ENOTDIR\): set AGENT_STATE_DIR/);
});

test('--print-pipeline shows what would run, without the key, and touches nothing', async () => {
  const directory = await temporaryDirectory();
  const { exitCode, stdout } = await runAgent(
    {
      AGENT_STATE_DIR: join(directory, 'state'),
      AV_VIDEO_SOURCE: 'test',
      AV_STREAM_URL: 'rtmp://h.example/live',
      AV_STREAM_KEY: 'printed-never',
    },
    '--print-pipeline',
  );
  expect(exitCode).toBe(0);
  expect(stdout).toContain('rtmp://h.example/live');
  expect(stdout).toContain('appsink name=tags');
  expect(stdout).not.toContain('printed-never');
  expect(await readdir(directory)).toEqual([]);
});
