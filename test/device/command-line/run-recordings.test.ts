/** The program as a person calls it. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { agentProgram } from '../agent-program.ts';
import { makeSegment } from '../recording/made-segment.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const run = promisify(execFile);
const name = '2026-11-21T10-00-00Z';

test('recordings are listed, protected and let go, without an agent', async () => {
  const state = await temporaryDirectory();
  const recordings = async (...words: readonly string[]): Promise<string> => {
    const environment = { PATH: process.env['PATH'], AGENT_STATE_DIR: state };
    const { stdout } = await run(process.execPath, [agentProgram, 'recordings', ...words], { env: environment }).catch(
      (cause: { stderr: string }) => ({ stdout: `refused: ${cause.stderr}` }),
    );
    return stdout;
  };
  expect(await recordings()).toContain('no recordings');
  const directory = join(state, 'recordings');
  await mkdir(directory);
  await writeFile(join(directory, `${name}.flv`), await makeSegment({ frames: 10 }));
  expect(await recordings()).toMatch(/^2026-11-21T10-00-00Z\.flv +\? .*\n1 recordings, 0\.00 GB; [\d.]+ GB free\n$/);
  expect(await recordings('--protect', `${name}.flv`)).toBe(`${name} is protected: it is not deleted to make room\n`);
  expect(JSON.parse(await recordings('--json'))).toMatchObject({ directory, recordings: [{ name, isProtected: true }] });
  expect(await recordings('--release', name)).toBe(`${name} is no longer protected\n`);
  expect(await readdir(directory)).toEqual([`${name}.flv`]);
  expect(await recordings('--protect', '../../etc/passwd')).toMatch(/^refused: expected the name of a recording/);
});

test('a recording that is made on the device while its disk is away is listed and protected there', async () => {
  const state = await temporaryDirectory();
  const [mountPoint, meanwhile] = [join(state, 'mount'), join(state, 'recordings-meanwhile')];
  for (const directory of [mountPoint, meanwhile]) await mkdir(directory);
  await writeFile(join(state, 'recording-disks.json'), JSON.stringify({ directories: [mountPoint] }));
  await writeFile(join(meanwhile, `${name}.mp4`), 'x');
  const env = { PATH: process.env['PATH'], AGENT_STATE_DIR: state, AV_RECORD_DIR: mountPoint };
  const protecting = await run(process.execPath, [agentProgram, 'recordings', '--protect', name], { env });
  expect(protecting.stdout).toBe(`${name} is protected: it is not deleted to make room\n`);
  expect((await readdir(meanwhile)).toSorted()).toEqual([`${name}.keep`, `${name}.mp4`]);
  const { stdout } = await run(process.execPath, [agentProgram, 'recordings'], { env });
  expect(stdout).toMatch(new RegExp(`^the disk of ${mountPoint} is away: .*\\n${meanwhile}:\\n${name}\\.mp4 .*protected`));
});
