/** Faults of the disk and the clock: the stream goes on, and what is wrong is said. Real GStreamer, nginx, disks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Agent } from '#device/agent.ts';
import { LogTail } from '#device/commands/log-tail.ts';
import { askAgent } from '#device/doctor/agent-status.ts';
import { createLog } from '#device/logging.ts';
import { type Clock, systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { foundStandIns, standInDirectories } from '#device/state/runtime-directory.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { readCredentials } from '#device/uplink/credentials.ts';
import type { Health } from '#protocol/messages.ts';
import { parseSetting, type SettingKey, type SettingValue } from '#protocol/settings.ts';
import { childEnvironment } from '../child-environment.ts';
import { until } from '../until.ts';
import { agentProgram } from './agent-program.ts';
import { bareHardware, desired } from './bare-machine.ts';
import { TestRelay } from './media/test-relay.ts';
import { canMount, makeReadOnly, smallDisk } from './small-disk.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { startedFleet } from './uplink/started-fleet.ts';

const root = join(import.meta.dirname, '..', '..');
const joinToken = 'join-token-secret-1234';
const small = { AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '180', AV_VIDEO_FRAMERATE: '15' };

async function startedRelay(): Promise<TestRelay> {
  const relay = await TestRelay.start();
  onTestFinished(() => relay.stop());
  return relay;
}

type Running = { readonly child: ChildProcess; readonly output: () => string };

function startAgent(stateDirectory: string, settings: Record<string, string>, program = agentProgram): Running {
  const env = { ...childEnvironment(), AGENT_STATE_DIR: stateDirectory, AV_STREAM_KEY: 'dev-1', ...small, ...settings };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  onTestFinished(() => stopAgent(child));
  return { child, output: () => output };
}

async function stopAgent(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

const healthOf = async (stateDirectory: string): Promise<Health | null> => (await askAgent(stateDirectory))?.health ?? null;
const isStreaming = (health: Health | null) => health?.outputs[0]?.state.kind === 'streaming';

function untilStreaming(stateDirectory: string): Promise<unknown> {
  return until('a stream', 25_000, async () => isStreaming(await healthOf(stateDirectory)));
}

function untilSaid(stateDirectory: string, code: string): Promise<Health> {
  return until(`the condition ${code}`, 25_000, async () => {
    const health = await healthOf(stateDirectory);
    return health?.conditions.some((condition) => condition.code === code) ? health : null;
  });
}

async function untilMoreFrames(stateDirectory: string): Promise<void> {
  const before = (await healthOf(stateDirectory))?.figures?.framesTotal ?? 0;
  await until('more frames', 10_000, async () => ((await healthOf(stateDirectory))?.figures?.framesTotal ?? 0) > before + 15);
}

function fill(place: string): void {
  const file = openSync(join(place, 'filler'), 'w');
  for (const size of [1_000_000, 4096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch {
      // ENOSPC is what was wanted.
    }
  }
  closeSync(file);
}

const settingsFiles = ['settings.json', 'settings-copy.json'];

test.each([
  ['the device streams on by its copy', settingsFiles.slice(0, 1), { stream: 'dev-2', appliedRevision: 1 }],
  ['and its copy, too: it streams as its environment says', settingsFiles, { stream: 'dev-1', appliedRevision: 0 }],
])(
  'a settings file that is damaged: %s, and tells its fleet',
  async (_, damaged, { stream, appliedRevision }) => {
    const [relay, fleet] = await Promise.all([startedRelay(), startedFleet()]);
    const stateDirectory = join(await temporaryDirectory(), 'state');
    const settings = { FLEET_URL: fleet.url, FLEET_JOIN_TOKEN: joinToken, AV_STREAM_URL: relay.target };
    const first = startAgent(stateDirectory, settings);
    await fleet.hear('hello');
    await fleet.send('pi-1', 'desired', desired(1, { AV_STREAM_URL: relay.target, AV_STREAM_KEY: 'dev-2' }));
    await fleet.hear('applied');
    await stopAgent(first.child);
    for (const name of damaged) await writeFile(join(stateDirectory, name), '{"deviceId":"pi-1","inForce":{"revi');
    startAgent(stateDirectory, settings);
    await untilStreaming(stateDirectory);
    expect(relay.publications.at(-1)).toMatchObject({ name: stream });
    for (const name of damaged) {
      await fleet.hear('event', ({ kind, detail }) => kind === 'file-damaged' && detail.includes(`${name}.damaged`));
    }
    // Where it has lost what was in force, the fleet says it again.
    const hello = await fleet.hear('hello', (body) => body.appliedRevision === appliedRevision, fleet.heard.length - 50);
    expect(hello.body.appliedDigest === null).toBe(appliedRevision === 0);
  },
  60_000,
);

test('hardware profiles that are not JSON: the device streams without them, and tells its fleet which they are', async () => {
  const [relay, fleet, folder] = await Promise.all([startedRelay(), startedFleet(), temporaryDirectory()]);
  const program = join(folder, relative(root, agentProgram));
  for (const name of ['package.json', 'hardware-profiles', relative(root, dirname(agentProgram))]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const damaged = ['boards/generic-x86-64.json', 'cameras/logitech-c270.json', 'encoders/x264enc.json'];
  for (const name of damaged) await writeFile(join(folder, 'hardware-profiles', name), '{"id":');
  const stateDirectory = join(folder, 'state');
  startAgent(stateDirectory, { FLEET_URL: fleet.url, FLEET_JOIN_TOKEN: joinToken, AV_STREAM_URL: relay.target }, program);
  await untilStreaming(stateDirectory);
  await untilMoreFrames(stateDirectory);
  for (const name of damaged) {
    await fleet.hear('event', ({ kind, detail }) => kind === 'profile-damaged' && detail.includes(`${name}: the file: expected JSON`));
  }
}, 60_000);

test.skipIf(!canMount)(
  'a disk that becomes full, a media host that dies then, and an agent that starts then (needs root, for a small disk)',
  async () => {
    const relay = await startedRelay();
    const { place, stateDirectory } = await smallDisk();
    const first = startAgent(stateDirectory, { AV_STREAM_URL: relay.target });
    await untilStreaming(stateDirectory);
    fill(place);
    expect((await untilSaid(stateDirectory, 'disk-low')).conditions.map(({ code }) => code)).toContain('disk-low');
    await untilMoreFrames(stateDirectory);
    expect(relay.publications).toHaveLength(1);
    process.kill(Number(await readFile(join(stateDirectory, 'media-host.pid'), 'utf8')), 'SIGKILL');
    await until('the host gone', 5000, async () => !isStreaming(await healthOf(stateDirectory)));
    await untilStreaming(stateDirectory);
    await untilMoreFrames(stateDirectory);
    await stopAgent(first.child);
    startAgent(stateDirectory, { AV_STREAM_URL: relay.target });
    await untilStreaming(stateDirectory);
    await untilSaid(stateDirectory, 'disk-low');
  },
  90_000,
);

test.skipIf(!canMount).for([
  { what: 'a disk that becomes read-only', isWhole: false },
  { what: 'a disk with /tmp that becomes read-only', isWhole: true },
])(
  '$what, a media host that dies then, and an agent that starts then (needs root, for a small disk)',
  { timeout: 90_000 },
  async ({ isWhole }) => {
    const relay = await startedRelay();
    const { place, stateDirectory } = await smallDisk();
    const settings = { AV_STREAM_URL: relay.target, ...(isWhole ? { TMPDIR: place } : {}) };
    const first = startAgent(stateDirectory, settings);
    await untilStreaming(stateDirectory);
    makeReadOnly(place);
    const said = await untilSaid(stateDirectory, 'disk-unwritable');
    expect(said.conditions.find(({ code }) => code === 'disk-unwritable')?.detail).toBe('it is read-only (EROFS)');
    await untilMoreFrames(stateDirectory);
    expect(relay.publications).toHaveLength(1);
    process.kill(Number(await readFile(join(stateDirectory, 'media-host.pid'), 'utf8')), 'SIGKILL');
    await until('the host gone', 5000, async () => !isStreaming(await healthOf(stateDirectory)));
    await untilStreaming(stateDirectory);
    await stopAgent(first.child);
    const second = startAgent(stateDirectory, settings);
    await untilStreaming(stateDirectory);
    await untilSaid(stateDirectory, 'disk-unwritable');
    expect(second.output()).toContain('read-only');
  },
);

test('a state directory whose name is too long for a socket: the device streams, and all but the sockets is there', async () => {
  const relay = await startedRelay();
  const folder = await temporaryDirectory();
  const stateDirectory = join(folder, 'x'.repeat(120), 'state');
  onTestFinished(() => {
    for (const path of standInDirectories(stateDirectory)) rmSync(path, { recursive: true, force: true });
  });
  // Of no use to anybody else: where compiled code goes when nobody says where is part of this.
  startAgent(stateDirectory, { AV_STREAM_URL: relay.target, AV_RECORD: '1', NODE_COMPILE_CACHE: '' });
  await untilStreaming(stateDirectory);
  const [standIn = ''] = await foundStandIns(stateDirectory);
  expect((await readdir(standIn)).toSorted()).toEqual(['agent.sock', 'media-host.pid', 'media-host.sock']);
  expect(await readdir(stateDirectory)).toEqual(expect.arrayContaining(['compile-cache', 'recordings']));
}, 60_000);

test('a clock that is set back by an hour: not a frame is missed, and the fleet hears that it is wrong', async () => {
  const [relay, fleet] = await Promise.all([startedRelay(), startedFleet()]);
  const stateDirectory = join(await temporaryDirectory(), 'state');
  let offsetMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => Date.now() + offsetMs };
  const log = createLog('error', { write: () => undefined });
  const state = new StateDirectory(stateDirectory, log);
  await state.start();
  const access = { url: fleet.url, joinToken, caFile: null };
  const agent = new Agent({
    configuration: {
      stateDirectory,
      fleet: access,
      settings: parsed({ ...small, AV_STREAM_URL: relay.target, AV_STREAM_KEY: 'dev-1' }),
      boardId: null,
      logLevel: 'error',
      refused: [],
      unknownNames: [],
    },
    state,
    credentials: await readCredentials(state, access),
    hasLostCredentials: false,
    copyOf: null,
    board: null,
    media: new MediaHostSupervisor({ stateDirectory, clock, log }),
    detect: async () => bareHardware,
    hardwareFingerprint: async () => '',
    askMachineClock: async () => null,
    profiles: await loadProfiles(),
    leftOutProfiles: [],
    versions: { agent: '0.1.0', node: '24', os: 'Debian' },
    clock,
    random: Math.random,
    log,
    service: null,
    restartAgent: () => undefined,
    reboot: async () => null,
    examine: async () => [],
    logTail: new LogTail(),
    onReady: () => undefined,
  });
  await agent.start();
  onTestFinished(() => agent.stop());
  await untilStreaming(stateDirectory);
  await fleet.hear('health', ({ board }) => board.clockOffsetMs !== undefined);
  const publisher = await relay.publisherId();
  const before = (await healthOf(stateDirectory))?.outputs[0];
  offsetMs = -3_600_000;
  const health = await fleet.hear('health', ({ conditions }) => conditions.some(({ code }) => code === 'clock-wrong'));
  expect(health.body.conditions.find(({ code }) => code === 'clock-wrong')?.detail).toMatch(/^3(599|600|601) s behind the fleet server’s$/);
  await untilMoreFrames(stateDirectory);
  const after = (await healthOf(stateDirectory))?.outputs[0];
  expect(await relay.publisherId()).toBe(publisher);
  expect(after).toMatchObject({ connections: before?.connections, droppedGroups: before?.droppedGroups });
  expect(fleet.problems).toEqual([]);
}, 60_000);

function parsed(texts: Record<string, string>): { readonly [K in SettingKey]?: SettingValue } {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => {
      const setting = parseSetting(key as SettingKey, text);
      return setting.kind === 'value' ? [[key, setting.value]] : [];
    }),
  );
}
