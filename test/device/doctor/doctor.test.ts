/** The doctor as it is started, on real GStreamer and a real nginx. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfiguration } from '#device/configuration.ts';
import { runProgram } from '#device/detect/local-machine.ts';
import { askAgent, StatusDoor } from '#device/doctor/agent-status.ts';
import type { Check } from '#device/doctor/check.ts';
import { type DoctorOptions, examine as examineWith } from '#device/doctor/doctor.ts';
import { systemClock } from '#device/media/clock.ts';
import { findHost, spawnHost } from '#device/media/host-process.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { runtimeDirectories, standInDirectories } from '#device/state/runtime-directory.ts';
import { childEnvironment } from '../../child-environment.ts';
import { Authority } from '../../fleet-server/tls/authority.ts';
import { until } from '../../until.ts';
import { agentProgram } from '../agent-program.ts';
import { bareHardware } from '../bare-machine.ts';
import { IcecastServer } from '../media/icecast-server.ts';
import { TestRelay } from '../media/test-relay.ts';
import { canMount, makeReadOnly, smallDisk } from '../small-disk.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const key = 'the-key-that-is-shown-nowhere';

type Examination = { readonly exitCode: number; readonly output: string; readonly checks: readonly Check[] };

function environmentOf(stateDirectory: string, settings: Record<string, string>): Record<string, string> {
  return { ...childEnvironment(), AGENT_STATE_DIR: stateDirectory, AV_STREAM_KEY: key, AV_VIDEO_SOURCE: 'test', ...small, ...settings };
}

const small = { AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '180', AV_VIDEO_FRAMERATE: '15' };

function examine(environment: Record<string, string>, ...options: string[]): Promise<Examination> {
  return new Promise((resolve) => {
    execFile(process.execPath, [agentProgram, 'doctor', ...options], { env: environment, timeout: 60_000 }, (error, stdout, stderr) => {
      const checks = options.includes('--json') ? (JSON.parse(stdout) as { checks: Check[] }).checks : [];
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr, checks });
    });
  });
}

const of = ({ checks }: Examination, subject: string) => checks.filter((check) => check.subject === subject);

function startAgent(environment: Record<string, string>): ChildProcess {
  const agent = spawn(process.execPath, [agentProgram], { env: environment, stdio: 'ignore' });
  onTestFinished(async () => {
    const gone = once(agent, 'exit');
    agent.kill('SIGTERM');
    await gone;
  });
  return agent;
}

async function startedRelay(): Promise<TestRelay> {
  const relay = await TestRelay.start();
  onTestFinished(() => relay.stop());
  return relay;
}

async function startedIcecast(): Promise<IcecastServer> {
  const icecast = await IcecastServer.start();
  onTestFinished(() => icecast.stop());
  return icecast;
}

test('right key, or none where none is wanted: everything passes, and relay and Icecast have really had a stream', async () => {
  const [relay, icecast] = await Promise.all([startedRelay(), startedIcecast()]);
  const directory = await temporaryDirectory();
  const environment = environmentOf(join(directory, 'state'), {
    AV_STREAM_URL: relay.target,
    AV_STREAM_URL_2: relay.target,
    AV_ICECAST_URL: icecast.address('hall.ogg'),
    AV_RECORD_DIR: join(directory, 'recordings'),
  });
  const examination = await examine(environment, '--json');
  expect(examination.checks.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(examination.exitCode).toBe(0);
  // Whether it is fast enough depends on what else this machine does.
  expect(of(examination, 'encoder')[0]?.detail).toMatch(/^x264enc: \d+\.\d frames a second of 320x180 at 15\/s/);
  expect(of(examination, 'rtmp')).toMatchObject([{ state: 'pass', detail: `${relay.target}: took 2 s of a test picture` }]);
  expect(of(examination, 'rtmp-2')).toMatchObject([{ state: 'pass', detail: `${relay.target}: took 2 s of a test picture` }]);
  expect(of(examination, 'icecast')).toMatchObject([{ state: 'pass', detail: expect.stringMatching(/^icecast:.*: took 2 s/) }]);
  expect(of(examination, 'recordings')).toMatchObject([{ detail: expect.stringContaining('can be made') }]);
  expect(relay.publications).toMatchObject([{ name: key }, { name: '' }]);
  expect(examination.output).not.toContain(key);
});

test('wrong key, no key, closed port, no such host: each is told apart, and nothing is told of the key', async () => {
  const [relay, icecast] = await Promise.all([startedRelay(), startedIcecast()]);
  relay.isOpen = false;
  const environment = environmentOf(join(await temporaryDirectory(), 'state'), {
    AV_STREAM_URL: relay.target,
    AV_STREAM_URL_2: 'rtmp://127.0.0.1:1/live',
    AV_STREAM_KEY_2: key,
    AV_STREAM_URL_3: 'rtmp://nowhere.invalid/live',
    AV_STREAM_KEY_3: key,
    AV_STREAM_URL_4: relay.target,
    AV_ICECAST_URL: icecast.address('hall.ogg', key),
    AV_RECORD_DIR: '/media/nowhere/recordings',
  });
  const examination = await examine(environment, '--json');
  expect(examination.exitCode).toBe(1);
  const reasonOf = (subject: string) => of(examination, subject)[0]?.detail;
  expect(reasonOf('rtmp')).toContain('wrong stream key');
  expect(reasonOf('rtmp-2')).toContain('connection refused');
  expect(reasonOf('rtmp-3')).toContain('no such host');
  expect(of(examination, 'rtmp-4')).toMatchObject([
    { detail: expect.stringContaining('AV_STREAM_KEY_4 is empty'), advice: expect.stringMatching(/^Set the key/) },
  ]);
  expect(reasonOf('icecast')).toContain('password wrong');
  expect(reasonOf('recordings')).toContain('is not there');
  expect(of(examination, 'dns')).toMatchObject([{ state: 'fail' }]);
  expect(new Set(examination.checks.filter(({ state }) => state === 'fail').map(({ advice }) => advice)).size).toBeGreaterThan(3);
  expect(examination.output).not.toContain(key);
});

test('in words for people, and without publishing when that is asked for', async () => {
  const relay = await startedRelay();
  const environment = environmentOf(join(await temporaryDirectory(), 'state'), { AV_STREAM_URL: relay.target });
  const { output, exitCode } = await examine(environment, '--without-publishing');
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^pass {2}gstreamer +version \d/m);
  expect(output).toMatch(/^warn {2}rtmp .*not tried/m);
  expect(output).toMatch(/^\d+ pass, \d+ warn, 0 fail$/m);
  expect(relay.publications).toEqual([]);
});

test('an agent that runs keeps its stream: its word is taken', async () => {
  const relay = await startedRelay();
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const environment = environmentOf(stateDirectory, { AV_STREAM_URL: relay.target });
  const agent = startAgent(environment);
  await until('the agent to stream and to have measured it', 20_000, async () => {
    const { outputs, figures } = (await askAgent(stateDirectory))?.health ?? {};
    return outputs?.[0]?.state.kind === 'streaming' && figures?.width === 320 && figures.sound !== undefined;
  });
  const publisher = await relay.publisherId();
  const examination = await examine(environment, '--json');
  expect(examination.exitCode).toBe(0);
  expect(of(examination, 'agent')[0]?.detail).toContain(`process ${agent.pid}`);
  expect(of(examination, 'rtmp')[0]?.detail).toContain('the agent streams to it since');
  expect(of(examination, 'camera')[0]?.detail).toContain('the agent captures (320x180');
  expect(of(examination, 'encoder')[0]?.detail).toMatch(/^the agent’s gives \d+ kbit\/s/);
  expect(of(examination, 'microphone')[0]?.detail).toMatch(/^the agent’s sound is at most -\d+ dBFS/);
  expect(relay.publications).toHaveLength(1);
  expect(await relay.publisherId()).toBe(publisher);
  expect(examination.output).not.toContain(key);
});

test('an agent that runs outside its hours: its targets are really tried, unless nothing is to be published', async () => {
  const [relay, closed] = await Promise.all([startedRelay(), startedRelay()]);
  closed.isOpen = false;
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const environment = environmentOf(stateDirectory, {
    AV_STREAM_URL: closed.target,
    AV_STREAM_URL_2: relay.target,
    AV_STREAM_KEY_2: key,
    AV_STREAM_SCHEDULE: inTwoDays(),
    AV_TIME_ZONE: 'UTC',
  });
  const agent = startAgent(environment);
  await until('the agent to capture for nobody', 20_000, async () => {
    const { media, conditions } = (await askAgent(stateDirectory))?.health ?? {};
    return media?.kind === 'running' && conditions?.some(({ code }) => code === 'outside-schedule');
  });
  const examination = await examine(environment, '--json');
  expect(of(examination, 'agent')[0]?.detail).toContain(`process ${agent.pid}`);
  expect(of(examination, 'rtmp')).toMatchObject([{ state: 'fail', detail: expect.stringContaining('wrong stream key') }]);
  expect(of(examination, 'rtmp-2')).toMatchObject([{ state: 'pass', detail: `${relay.target}: took 2 s of a test picture` }]);
  expect(relay.publications).toMatchObject([{ name: key }]);
  const quiet = await examine(environment, '--json', '--without-publishing');
  expect(of(quiet, 'rtmp')).toMatchObject([{ state: 'warn', detail: expect.stringContaining('not tried') }]);
  expect(relay.publications).toHaveLength(1);
});

function inTwoDays(): string {
  const day = new Date(Date.now() + 2 * 86_400_000).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
  return `${day} 09:00-10:00`;
}

test.skipIf(!canMount)('a card with /tmp that cannot be written: one line says so, and all the rest is tried (needs root)', async () => {
  const relay = await startedRelay();
  const { place, stateDirectory } = await smallDisk();
  await mkdir(stateDirectory);
  makeReadOnly(place);
  const environment = environmentOf(stateDirectory, { AV_STREAM_URL: relay.target, TMPDIR: place });
  const examination = await examine(environment, '--json');
  expect(examination.checks.filter(({ state }) => state === 'fail')).toMatchObject([
    { subject: 'disk', detail: `${stateDirectory} cannot be written: it is read-only (EROFS)` },
  ]);
  expect(of(examination, 'encoder')[0]?.detail).toContain('x264enc');
  expect(of(examination, 'rtmp')).toMatchObject([{ state: 'pass' }]);
  expect(examination.exitCode).toBe(1);
});

/** In this process, on a made-up board. */
async function examineHere(environment: Record<string, string>, options: Partial<DoctorOptions> = {}): Promise<readonly Check[]> {
  const read = readConfiguration(environment, { homeDirectory: null, isBalenaDataWritable: false });
  if (read.kind === 'problems') throw new Error(JSON.stringify(read.problems));
  return examineWith({
    configuration: read.configuration,
    detect: async () => bareHardware,
    profiles: await loadProfiles(),
    leftOutProfiles: [],
    clock: systemClock,
    run: runProgram,
    mayPublish: false,
    onCheck: () => undefined,
    ...options,
  });
}

test('a check that cannot be made is a line, and the others are made', async () => {
  const told: Check[] = [];
  const checks = await examineHere(
    { AGENT_STATE_DIR: await temporaryDirectory() },
    { run: () => Promise.reject(new Error('no process can be started')), onCheck: (check) => told.push(check) },
  );
  expect(checks.filter(({ subject }) => subject === 'clock')).toMatchObject([
    { state: 'fail', detail: 'could not be looked at: no process can be started' },
  ]);
  expect(checks.map(({ subject }) => subject)).toEqual(expect.arrayContaining(['agent', 'disk', 'encoder', 'rtmp', 'fleet server']));
  expect(told).toEqual(checks);
});

test.each([
  { isConnected: null, state: 'pass', said: /^runs \(process 17\): / },
  { isConnected: true, state: 'pass', said: /, connected to its fleet server: / },
  { isConnected: false, state: 'warn', said: /, not connected to its fleet server: / },
])('an agent that runs, connected to its fleet server: $isConnected', async ({ isConnected, state, said }) => {
  const stateDirectory = await temporaryDirectory();
  const door = new StatusDoor(() => ({ processId: 17, isConnected, health: null }));
  await door.open(stateDirectory);
  onTestFinished(() => door.close());
  const checks = await examineHere({ AGENT_STATE_DIR: stateDirectory });
  expect(checks.find(({ subject }) => subject === 'agent')).toMatchObject({ state, detail: expect.stringMatching(said) });
});

test('a stream that an agent has left behind is found where its sockets are elsewhere, too', async () => {
  const stateDirectory = join(await temporaryDirectory(), 'x'.repeat(120));
  onTestFinished(async () => {
    for (const path of standInDirectories(stateDirectory)) await rm(path, { recursive: true, force: true });
  });
  await mkdir(stateDirectory);
  const [standIn = ''] = await runtimeDirectories(stateDirectory);
  const host = spawnHost(standIn, stateDirectory);
  onTestFinished(async () => {
    const gone = once(host, 'exit');
    host.kill('SIGKILL');
    await gone;
  });
  await until('the media host to be there', 10_000, async () => (await findHost(standIn)) === host.pid);
  const checks = await examineHere({ AGENT_STATE_DIR: stateDirectory });
  expect(checks.find(({ subject }) => subject === 'agent')).toMatchObject({
    state: 'warn',
    detail: `does not run, but a stream that it began does (process ${host.pid})`,
  });
});

test.each([
  { damaged: 'credentials.json', whole: {} },
  {
    damaged: 'settings.json',
    whole: { 'credentials.json': { fleetUrl: 'http://127.0.0.1:1', deviceId: 'pi-1', credential: 'the-credential-that-is-shown-nowhere' } },
  },
])('a damaged $damaged is named, and left to the agent', async ({ damaged, whole }) => {
  const stateDirectory = await temporaryDirectory();
  for (const [name, content] of Object.entries(whole)) await writeFile(join(stateDirectory, name), JSON.stringify(content));
  await writeFile(join(stateDirectory, damaged), '{"deviceId":"pi-1",');
  const before = (await readdir(stateDirectory)).toSorted();
  const checks = await examineHere({
    AGENT_STATE_DIR: stateDirectory,
    FLEET_URL: 'http://127.0.0.1:1',
    FLEET_JOIN_TOKEN: 'join-token-secret-1234',
  });
  expect(checks.filter(({ subject }) => subject === 'state')).toMatchObject([
    { state: 'warn', detail: `${damaged} in the state directory is damaged` },
  ]);
  expect((await readdir(stateDirectory)).toSorted()).toEqual(before);
});

test('the clock is held against a fleet server with a certificate of its fleet’s own authority', async () => {
  const folder = await temporaryDirectory();
  const authority = new Authority(folder);
  const { certFile, keyFile } = authority.issue('fleet');
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const server = createServer({ cert, key }, (_request, response) => response.end('{"status":"ok"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const checks = await examineHere({
    AGENT_STATE_DIR: join(folder, 'state'),
    FLEET_URL: `https://localhost:${(server.address() as AddressInfo).port}`,
    FLEET_CA_FILE: authority.caFile,
    FLEET_JOIN_TOKEN: 'join-token-secret-1234',
  });
  expect(checks.filter(({ subject }) => subject === 'fleet server')).toMatchObject([{ state: 'pass' }]);
  expect(checks.find(({ subject }) => subject === 'clock')?.detail).toMatch(/(?:ahead of|behind) the fleet server’s/);
});

test('wrong configuration is listed, and nothing is tried', async () => {
  const environment = environmentOf('relative', { AV_VIDEO_WIDTH: 'wide' });
  const { exitCode, output } = await examine(environment);
  expect(exitCode).toBe(2);
  expect(output).toContain('AV_VIDEO_WIDTH');
  expect(output).toContain('AGENT_STATE_DIR');
});
