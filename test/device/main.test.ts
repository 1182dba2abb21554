/** The program as it is started: refusals, and a life with its real media host and real GStreamer on a real broker. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askAgent } from '#device/doctor/agent-status.ts';
import { startMeAnew } from '#device/exit-codes.ts';
import { lockStateDirectory } from '#device/state/state-lock.ts';
import type { Session } from '#protocol/identifiers.ts';
import type { Desired } from '#protocol/messages.ts';
import { startPlainRelay } from '../bench/plain-relay.ts';
import { childEnvironment } from '../child-environment.ts';
import { probe } from '../e2e/far-side.ts';
import { freePort } from '../free-ports.ts';
import { until } from '../until.ts';
import { agentProgram } from './agent-program.ts';
import { desired } from './bare-machine.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { credential, startedFleet } from './uplink/started-fleet.ts';
import type { TestFleet } from './uplink/test-fleet.ts';

type Ending = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

async function runAgent(environment: Record<string, string>, ...commandLine: string[]): Promise<Ending> {
  const env = { ...childEnvironment(), ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [agentProgram, ...commandLine], { env, timeout: 20_000 }, (error, stdout, stderr) => {
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

test('--print-pipeline says what cannot run here, and what is less than was wished', async () => {
  const { stdout } = await runAgent(
    { AV_VIDEO_SOURCE: 'test', AV_H264_ENCODER_PARAMS: 'target-bitrate=1000000', AV_VIDEO_ROTATE: '90' },
    'agent',
    '--print-pipeline',
  );
  expect(stdout).toContain('left out: AV_H264_ENCODER_PARAMS: x264enc has no parameter "target-bitrate"');
  expect(stdout).toContain('720x1280 at 30/s');
});

test('hardware: what is here and what is made of it, as text and as JSON, without touching anything', async () => {
  const directory = await temporaryDirectory();
  const environment = { AGENT_STATE_DIR: join(directory, 'state'), AV_STREAM_KEY: 'printed-never' };
  const text = await runAgent(environment, 'hardware');
  expect(text).toMatchObject({ exitCode: 0, stderr: '' });
  expect(text.stdout).toMatch(/^board +.*\n +profile /);
  expect(text.stdout).toMatch(/^encoder +x264enc$/m);
  const json = await runAgent(environment, 'hardware', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ board: { architecture: expect.any(String) }, encoder: { taken: 'x264enc' } });
  expect(text.stdout + json.stdout).not.toContain('printed-never');
  expect(await runAgent({ AV_VIDEO_WIDTH: 'wide' }, 'hardware')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^left out +AV_VIDEO_WIDTH: expected .*"wide"$/m),
  });
  expect(await readdir(directory)).toEqual([]);
});

test('--help, --version, and a word that is no subcommand', async () => {
  expect(await runAgent({}, '--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('makespacelive'), stderr: '' });
  expect(await runAgent({}, '--version')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  const unknown = await runAgent({}, 'stream');
  expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^makespacelive: expected one of agent\b.*, came "stream" \(see makespacelive --help\)\n$/);
});

test('alone, as the old script: address and key in the environment, and the stream is at any RTMP server, whatever else is wrong there', async () => {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const relay = await startPlainRelay(directory, port);
  onTestFinished(() => relay.stop());
  const env = {
    ...childEnvironment(),
    AGENT_STATE_DIR: join(directory, 'state'),
    AV_STREAM_URL: `rtmp://127.0.0.1:${port}/live`,
    AV_STREAM_KEY: 'ROOM',
    AV_VIDEO_WIDTH: 'wide',
    AV_RECORD_MAX_GB: '-1',
  };
  const child = spawn(process.execPath, [agentProgram, 'agent'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  const stream = await until('the stream at the relay', 25_000, async () => {
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}: ${output}`);
    const probed = await probe(`rtmp://127.0.0.1:${port}/live/ROOM`);
    return probed.video !== undefined && probed.audioCodec !== undefined && probed;
  });
  expect(stream).toMatchObject({ video: { codec: 'h264', width: 1280, height: 720, framesPerSecond: 30 }, audioCodec: 'aac' });
  expect(output).not.toContain('ROOM');
  expect(output).toMatch(/left out: AV_VIDEO_WIDTH: expected a whole number from 160 to 3840 \(px\), got \\"wide\\"/);
  expect(output).toContain('left out: AV_RECORD_MAX_GB: expected ');
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
}, 60_000);

const joinToken = 'join-token-secret-1234';

type RunningAgent = { readonly child: ChildProcess; readonly messages: unknown[]; output(): string };

function startAgent(fleet: TestFleet, stateDirectory: string): RunningAgent {
  return startProgram({ AGENT_STATE_DIR: stateDirectory, FLEET_URL: fleet.url, FLEET_JOIN_TOKEN: joinToken });
}

function startProgram(environment: Record<string, string>): RunningAgent {
  const env = {
    ...childEnvironment(),
    AGENT_LOG_LEVEL: 'debug',
    ...{ AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '180', AV_VIDEO_FRAMERATE: '15' },
    ...environment,
  };
  const child = spawn(process.execPath, [agentProgram], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  return { child, messages, output: () => text };
}

async function stopped(agent: RunningAgent, signal: NodeJS.Signals): Promise<{ code: unknown; tookMs: number }> {
  const startedMs = performance.now();
  const gone = once(agent.child, 'exit');
  agent.child.kill(signal);
  const [code] = await gone;
  return { code, tookMs: performance.now() - startedMs };
}

async function hostProcessId(stateDirectory: string): Promise<number> {
  return Number(await readFile(join(stateDirectory, 'media-host.pid'), 'utf8'));
}

/** A zombie has ended: when it is taken away is the business of whoever inherited it. */
function isAlive(processId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
  } catch {
    // ENOENT: there is no such process.
    return false;
  }
}

const small: Desired = desired(1, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_PREVIEW_INTERVAL: 1 });
const after = (before: { readonly session: Session }) => (_body: unknown, heard: { readonly session: Session }) =>
  heard.session.counter > before.session.counter;

test('joins, streams, follows its settings, and stops in order', async () => {
  const fleet = await startedFleet();
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const agent = startAgent(fleet, stateDirectory);
  await fleet.hear('report', ({ media }) => media.kind === 'running');
  await fleet.send('pi-1', 'desired', small);
  const applied = await fleet.hear('applied');
  expect(applied.body).toMatchObject({ revision: 1, outcome: 'applied' });
  const health = await fleet.hear('health', ({ figures }) => figures?.width === 640 && figures.framesPerSecond > 10);
  expect(health.body.board.mediaHostRssBytes).toBeGreaterThan(1e7);
  await fleet.send('pi-1', 'desired', desired(2, { AV_H264_ENCODER_PARAMS: 'no-such-parameter=1' }));
  const refused = await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(refused.body).toMatchObject({ outcome: 'refused', inForceRevision: 1 });
  const command = { id: 'command-1', kind: 'restart-media-host', arguments: {}, deadline: new Date(Date.now() + 60_000).toISOString() };
  const before = await hostProcessId(stateDirectory);
  await fleet.send('pi-1', 'command', command);
  expect((await fleet.hear('command-result')).body).toMatchObject({ id: 'command-1', outcome: 'done' });
  const host = await hostProcessId(stateDirectory);
  expect(host).not.toBe(before);
  expect(agent.messages).toMatchObject([{ kind: 'ready', deviceId: 'pi-1' }]);
  await until('a preview picture', 10_000, () => fleet.previews.length > 0);
  await fleet.hear('health', ({ outputs }) => outputs.some(({ kind, state }) => kind === 'preview' && state.kind === 'streaming'));
  await fleet.send('pi-1', 'desired', desired(3, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_PREVIEW_INTERVAL: 0 }));
  await fleet.hear('report', ({ settings, outputs }) => {
    return settings['AV_PREVIEW_INTERVAL']?.value === 0 && outputs.map(({ kind }) => kind).join() === 'rtmp';
  });
  const { code, tookMs } = await stopped(agent, 'SIGTERM');
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5000);
  await until('the media host gone', 5000, () => !isAlive(host));
  expect((await fleet.hear('presence', ({ state }) => state === 'offline')).body.reason).toBe('stopping');
  expect(fleet.problems).toEqual([]);
  for (const secret of [credential, joinToken, 'relay-secret']) expect(agent.output()).not.toContain(secret);
});

test('kill -9 of the agent: the media host goes on, and the next agent takes it over with the settings in force', async () => {
  const fleet = await startedFleet();
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const first = startAgent(fleet, stateDirectory);
  const hello = await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', small);
  await fleet.hear('applied');
  const running = await fleet.hear('health', ({ figures }) => (figures?.framesTotal ?? 0) > 0);
  const host = await hostProcessId(stateDirectory);
  await stopped(first, 'SIGKILL');
  expect(isAlive(host)).toBe(true);
  startAgent(fleet, stateDirectory);
  const again = await fleet.hear('hello', after(hello));
  expect(again.body).toMatchObject({ appliedRevision: 1, appliedDigest: small.digest });
  // Frames are counted once a second: a quick successor may first tell the count that its predecessor told.
  const before = running.body.figures?.framesTotal ?? 0;
  const health = await fleet.hear('health', (body, heard) => after(hello)(body, heard) && (body.figures?.framesTotal ?? 0) > before);
  expect(health.body.figures?.width).toBe(640);
  expect(await hostProcessId(stateDirectory)).toBe(host);
});

test('a supervisor that is gone takes its agent along', async () => {
  const fleet = await startedFleet();
  const agent = startAgent(fleet, join(await temporaryDirectory(), 'state'));
  await fleet.hear('hello');
  const gone = once(agent.child, 'exit');
  agent.child.disconnect();
  expect(await gone).toEqual([0, null]);
});

test('told to start anew: its successor answers, once, however often the command is delivered', async () => {
  const fleet = await startedFleet();
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const first = startAgent(fleet, stateDirectory);
  const hello = await fleet.hear('hello');
  const command = { id: 'command-1', kind: 'restart-agent', arguments: {}, deadline: new Date(Date.now() + 60_000).toISOString() };
  const gone = once(first.child, 'exit');
  await fleet.send('pi-1', 'command', command);
  expect(await gone).toEqual([startMeAnew, null]);
  expect(fleet.heard.filter(({ name }) => name === 'command-result')).toEqual([]);
  const second = startAgent(fleet, stateDirectory);
  await fleet.hear('hello', after(hello));
  const result = await fleet.hear('command-result');
  expect(result.body).toEqual({ id: 'command-1', outcome: 'done', detail: 'the agent is back' });
  // Reports go after results: by now the device knows that this one has arrived. Delivered before that, one answer is for both.
  await fleet.hear('report', after(hello));
  const from = fleet.heard.length;
  await fleet.send('pi-1', 'command', command);
  await fleet.hear('command-result', () => true, from);
  expect(second.child.exitCode).toBe(null);
});

const nextCredential = 'next-credential-secret-'.padEnd(43, 'y');

function rotation(id: string) {
  const deadline = new Date(Date.now() + 60_000).toISOString();
  return { id, kind: 'rotate-credential', arguments: { credential: nextCredential }, deadline };
}

test.each([
  ['is damaged', (path: string) => writeFile(path, '{"fleetUrl":'), 'was damaged (kept as credentials.json.damaged)'],
  ['cannot be read', (path: string) => mkdir(path), 'cannot be read'],
])(
  'a credential that %s, and no join token: it streams and records as before, and says what to do, at each start',
  async (_, spoil, said) => {
    const directory = await temporaryDirectory();
    const stateDirectory = join(directory, 'state');
    const port = await freePort();
    const relay = await startPlainRelay(directory, port);
    onTestFinished(() => relay.stop());
    await mkdir(stateDirectory, { mode: 0o700 });
    await spoil(join(stateDirectory, 'credentials.json'));
    const kept = { deviceId: 'pi-1', inForce: desired(3, { AV_RECORD: 1 }), verdict: null };
    await writeFile(join(stateDirectory, 'settings.json'), JSON.stringify(kept));
    const environment = {
      AGENT_STATE_DIR: stateDirectory,
      FLEET_URL: 'http://127.0.0.1:9',
      AV_STREAM_URL: `rtmp://127.0.0.1:${port}/live`,
      AV_STREAM_KEY: 'ROOM',
    };
    for (const start of ['first', 'second']) {
      const agent = startProgram(environment);
      await until(`the ${start} start`, 20_000, () => {
        if (agent.child.exitCode !== null) throw new Error(`the agent ended with ${agent.child.exitCode}: ${agent.output()}`);
        return agent.messages.length > 0;
      });
      await until('the stream at the relay', 20_000, async () => (await probe(`rtmp://127.0.0.1:${port}/live/ROOM`)).video !== undefined);
      await until('a recording', 10_000, async () =>
        (await readdir(join(stateDirectory, 'recordings'))).some((name) => name.endsWith('.flv')),
      );
      expect(agent.output()).toContain(`credentials.json in the state directory ${said}`);
      expect(agent.output()).toContain('make a join token and set FLEET_JOIN_TOKEN');
      expect((await stopped(agent, 'SIGTERM')).code).toBe(0);
      await rm(join(stateDirectory, 'recordings'), { recursive: true });
    }
  },
  60_000,
);

test('a credential that is damaged, and a join token that was used already: the last good settings are in force', async () => {
  const fleet = await startedFleet();
  fleet.onEnrolment = () => ({ status: 403, body: {} });
  const stateDirectory = join(await temporaryDirectory(), 'state');
  await mkdir(stateDirectory, { mode: 0o700 });
  await writeFile(join(stateDirectory, 'credentials.json'), '{"fleetUrl":');
  const kept = { deviceId: 'pi-1', inForce: desired(3, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360 }), verdict: null };
  await writeFile(join(stateDirectory, 'settings.json'), JSON.stringify(kept));
  const agent = startAgent(fleet, stateDirectory);
  await until('the agent at work', 20_000, async () => (await askAgent(stateDirectory))?.health?.figures?.width === 640);
  expect(agent.output()).toContain('was damaged (kept as credentials.json.damaged)');
  expect(agent.output()).toContain('joins again, under a new name');
});

test('a new credential is on the disk before it is confirmed, and the device comes back with it', async () => {
  const fleet = await startedFleet();
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const agent = startAgent(fleet, stateDirectory);
  const hello = await fleet.hear('hello');
  fleet.nextCredentials.set('pi-1', nextCredential);
  await fleet.send('pi-1', 'command', rotation('command-1'));
  expect((await fleet.hear('command-result')).body).toMatchObject({ id: 'command-1', outcome: 'done' });
  await fleet.hear('hello', after(hello));
  expect(fleet.credentials.get('pi-1')).toBe(nextCredential);
  const kept = async () => JSON.parse(await readFile(join(stateDirectory, 'credentials.json'), 'utf8')) as Record<string, unknown>;
  await until('the former one is forgotten', 5000, async () => (await kept())['former'] === undefined);
  expect(await kept()).toMatchObject({ credential: nextCredential });
  expect(agent.output()).not.toContain(nextCredential);
  expect(agent.output()).not.toContain(credential);
}, 30_000);

test.each([0, 15, 40, 90])(
  'the power fails %i ms after a new credential was sent: the device gets in again',
  async (delayMs) => {
    const fleet = await startedFleet();
    const stateDirectory = join(await temporaryDirectory(), 'state');
    const first = startAgent(fleet, stateDirectory);
    const hello = await fleet.hear('hello');
    fleet.nextCredentials.set('pi-1', nextCredential);
    await fleet.send('pi-1', 'command', rotation('command-1'));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await stopped(first, 'SIGKILL');
    const lastCounter = Math.max(...fleet.heard.map(({ session }) => session.counter), hello.session.counter);
    startAgent(fleet, stateDirectory);
    await fleet.hear('hello', (_body, { session }) => session.counter > lastCounter);
    // Asked once more, under another id, as an operator would: it ends with the new one in every case.
    await fleet.send('pi-1', 'command', rotation('command-2'));
    await fleet.hear('command-result', ({ id }) => id === 'command-2');
    await until('the new one is used', 10_000, async () => fleet.credentials.get('pi-1') === nextCredential);
  },
  40_000,
);

test('asked for its log it sends what it has, goes on, and says no secret', async () => {
  const fleet = await startedFleet();
  startAgent(fleet, join(await temporaryDirectory(), 'state'));
  await fleet.hear('hello');
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-1', kind: 'send-logs', arguments: { lines: 500 }, deadline });
  const first = await fleet.hear('log');
  expect(first.body.lines.join('\n')).toContain('connected to the fleet server as pi-1');
  await fleet.send('pi-1', 'desired', small);
  await fleet.hear('log', ({ lines }) => lines.some((line) => line.includes('settings revision 1 in force')));
  const said = JSON.stringify(fleet.heard);
  for (const secret of [credential, joinToken, 'relay-secret']) expect(said).not.toContain(secret);
}, 30_000);
