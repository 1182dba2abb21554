/** The bundle on the oldest Node that it is for: the machine's own, where that is a 20. It streams to an nginx of nobody's. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startPlainRelay } from '../bench/plain-relay.ts';
import { temporaryDirectory } from '../device/temporary-directory.ts';
import { probe } from '../e2e/far-side.ts';
import { freePort } from '../free-ports.ts';
import { isRunning } from '../processes.ts';
import { until } from '../until.ts';
import { findNode20, installFor } from './node20-installation.ts';

const node20 = findNode20();
const buildBoundMs = 180_000;
let bundle = '';

beforeAll(() => {
  if (node20 !== null) bundle = installFor(node20);
}, buildBoundMs);

test('the bundle is one file a process, and one that only explains a failed check', async () => {
  const files = await readdir(join(import.meta.dirname, '..', '..', '.build', 'agent'));
  expect(files.filter((name) => !name.startsWith('.')).sort()).toEqual(['agent.js', 'explain-checks.cjs', 'media-host.js']);
});

test.skipIf(node20 === null)(
  'the bundle streams on Node 20 (skipped where the path has none, with its headers)',
  async () => {
    if (node20 === null) return;
    const folder = await temporaryDirectory();
    await mkdir(join(folder, 'relay'));
    const port = await freePort();
    const relay = await startPlainRelay(join(folder, 'relay'), port);
    onTestFinished(() => relay.stop());
    const stateDirectory = join(folder, 'state');
    const { PATH = '', HOME = '' } = process.env;
    const settings = {
      AV_VIDEO_SOURCE: 'test',
      AV_VIDEO_WIDTH: '320',
      AV_VIDEO_HEIGHT: '180',
      AV_STREAM_URL: `rtmp://127.0.0.1:${port}/live`,
    };
    const env = { PATH, HOME, AGENT_STATE_DIR: stateDirectory, AV_STREAM_KEY: 'on-node-20', ...settings };
    const agent = spawn(node20.program, ['--max-semi-space-size=1', bundle], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (chunk) => (output += chunk));
    onTestFinished(() => void agent.kill('SIGKILL'));
    const seen = await until('a player at the relay', 30_000, async () => {
      const found = await probe(`rtmp://127.0.0.1:${port}/live/on-node-20`);
      return found.video ? found : null;
    });
    expect(seen.video).toBeTruthy();
    expect(output).toContain(`on Node ${node20.version.slice(1)}`);
    const host = Number(await readFile(join(stateDirectory, 'media-host.pid'), 'utf8'));
    expect(await readFile(`/proc/${host}/cmdline`, 'utf8')).toContain(join('.build', 'agent', 'media-host.js'));
    const gone = once(agent, 'exit');
    agent.kill('SIGTERM');
    expect(await gone).toEqual([0, null]);
    expect(isRunning(host)).toBe(false);
    expect(output).not.toMatch(/on-node-20|SyntaxError|TypeError|Warning/);
  },
  60_000,
);

test.skipIf(node20 === null)(
  'the other subcommands of the bundle run on Node 20 as well',
  () => {
    if (node20 === null) return;
    const { stdout, status } = spawnSync(node20.program, [bundle, '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('doctor');
    const state = mkdtempSync(join(tmpdir(), 'msl-doctor-'));
    const doctor = spawnSync(node20.program, [bundle, 'doctor', '--without-publishing', '--json'], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: state,
        AGENT_STATE_DIR: state,
        AV_VIDEO_SOURCE: 'test',
        AV_STREAM_URL: 'rtmp://127.0.0.1/live',
      },
    });
    rmSync(state, { recursive: true, force: true });
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
  },
  60_000,
);
