/** The whole agent in one process, on a real broker over real sockets; only the media host is a small object of ours. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Agent } from '#device/agent.ts';
import type { AgentReady, Media } from '#device/agent-options.ts';
import { LogTail } from '#device/commands/log-tail.ts';
import { jpegSize } from '#device/commands/still-picture.ts';
import type { Configuration } from '#device/configuration.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { createLog } from '#device/logging.ts';
import { systemClock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { ApplyOutcome, MediaEvent, PictureOutcome } from '#device/media/media-host-supervisor.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { readCredentials } from '#device/uplink/credentials.ts';
import { commandDefinitions } from '#protocol/commands.ts';
import type { MediaState, OutputStatus } from '#protocol/media.ts';
import type { Desired } from '#protocol/messages.ts';
import { until } from '../until.ts';
import { bareHardware, desired, relayKey, webcam } from './bare-machine.ts';
import { madeKeyframe } from './commands/made-keyframe.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { TestFleet } from './uplink/test-fleet.ts';

const joinToken = 'join-token-secret-1234';
const credential = 'credential-secret-'.padEnd(43, 'x');

class FakeMedia implements Media {
  readonly plans: PipelinePlan[] = [];
  restarts = 0;
  outputs: OutputStatus[] = [];
  fails = (_plan: PipelinePlan): string | null => null;
  #status: ((status: MediaStatus | null) => void)[] = [];
  #preview: ((jpeg: Buffer) => void)[] = [];
  #event: ((event: MediaEvent) => void)[] = [];
  #applied: (() => void)[] = [];

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  async apply(plan: PipelinePlan): Promise<ApplyOutcome> {
    this.plans.push(plan);
    for (const listener of this.#applied.splice(0)) listener();
    const reason = this.fails(plan);
    if (reason !== null) return { kind: 'failed', reason };
    this.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
    return { kind: 'applied' };
  }

  nextPlan(): Promise<void> {
    return new Promise((resolve) => this.#applied.push(resolve));
  }

  async restartCapture(): Promise<ApplyOutcome> {
    this.restarts += 1;
    return { kind: 'applied' };
  }

  async picture(): Promise<PictureOutcome> {
    return { kind: 'picture', flv: await madeKeyframe({ width: 320, height: 180 }) };
  }

  restartHost(): Promise<ApplyOutcome> {
    return this.restartCapture();
  }

  gstreamerVersion(): string {
    return '1.22.0';
  }

  onStatus(listener: (status: MediaStatus | null) => void): () => void {
    this.#status.push(listener);
    return () => undefined;
  }

  onPreview(listener: (jpeg: Buffer) => void): () => void {
    this.#preview.push(listener);
    return () => undefined;
  }

  onEvent(listener: (event: MediaEvent) => void): () => void {
    this.#event.push(listener);
    return () => undefined;
  }

  say(media: MediaState): void {
    const { outputs } = this;
    for (const listener of this.#status) listener({ media, figures: null, outputs, rssBytes: 5e7, framesTotal: 1 });
  }

  happen(event: string, detail: string): void {
    for (const listener of this.#event) listener({ event, detail });
  }

  show(jpeg: Buffer): void {
    for (const listener of this.#preview) listener(jpeg);
  }
}

const counters = { connections: 1, bytesSent: 1, droppedGroups: 0, queuedBytes: 0 };

function streaming(): OutputStatus {
  return {
    id: 'rtmp',
    kind: 'rtmp',
    target: 'rtmp://fleet/live',
    state: { kind: 'streaming', since: '2026-11-21T12:00:00Z' },
    ...counters,
  };
}

function recording(state: OutputStatus['state']): OutputStatus {
  const figures = { file: '2026-11-21T12-00-00Z.flv', fileBytes: 1, freeBytes: 1e9, fault: null };
  return { id: 'recording', kind: 'recording', target: 'recordings on the device', state, ...counters, recording: figures };
}

async function startedFleet(): Promise<TestFleet> {
  const fleet = new TestFleet();
  fleet.onEnrolment = () => {
    fleet.credentials.set('pi-1', credential);
    return { status: 201, body: { deviceId: 'pi-1', credential } };
  };
  await fleet.start();
  onTestFinished(() => fleet.crash());
  return fleet;
}

async function startedAgent(
  fleet: TestFleet | null,
  options: {
    directory?: string;
    settings?: Configuration['settings'];
    hardware?: DetectedHardware;
    leftOutProfiles?: readonly string[];
  } = {},
) {
  const stateDirectory = options.directory ?? join(await temporaryDirectory(), 'state');
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => lines.push(line) });
  const state = new StateDirectory(stateDirectory, log);
  await state.start();
  const access = fleet === null ? null : { url: fleet.url, joinToken, caFile: null };
  const world: { hardware: DetectedHardware; fingerprint: string; ready: AgentReady[] } = {
    hardware: options.hardware ?? bareHardware,
    fingerprint: '',
    ready: [],
  };
  const media = new FakeMedia();
  const agent = new Agent({
    configuration: { stateDirectory, fleet: access, settings: options.settings ?? {}, boardId: null, logLevel: 'debug', unknownNames: [] },
    state,
    credentials: access === null ? null : await readCredentials(state, access),
    copyOf: null,
    board: null,
    media,
    detect: async () => world.hardware,
    hardwareFingerprint: async () => world.fingerprint,
    profiles: await loadProfiles(),
    leftOutProfiles: options.leftOutProfiles ?? [],
    versions: { agent: '0.1.0', node: '24', os: 'Debian' },
    clock: systemClock,
    random: Math.random,
    log,
    service: null,
    onReady: (ready) => world.ready.push(ready),
    restartAgent: () => undefined,
    reboot: async () => 'not in a test',
    examine: async () => [],
    logTail: new LogTail(),
  });
  await agent.start();
  onTestFinished(() => agent.stop());
  return { agent, media, lines, world, stateDirectory };
}

test('joins, says hello, takes its settings, streams to the relay and says so', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { leftOutProfiles: ['cameras/x.json: the file: expected JSON'] });
  const hello = await fleet.hear('hello');
  expect((await fleet.hear('event', ({ kind }) => kind === 'profile-damaged')).body.detail).toContain('cameras/x.json');
  expect(hello.body).toMatchObject({ appliedRevision: 0, appliedDigest: null, versions: { agent: '0.1.0', gstreamer: '1.22.0' } });
  expect(media.plans[0]?.outputs).toEqual([]);
  await fleet.send('pi-1', 'desired', desired(1, { AV_VIDEO_WIDTH: 640 }));
  const applied = await fleet.hear('applied');
  expect(applied.body).toEqual({ revision: 1, outcome: 'applied', refusals: [], inForceRevision: 1 });
  const report = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 1);
  expect(report.body).toMatchObject({
    source: { kind: 'test' },
    encoder: 'x264enc',
    media: { kind: 'running' },
    conditions: [{ code: 'test-picture' }],
    capabilities: Object.keys(commandDefinitions),
    settings: { AV_VIDEO_WIDTH: { value: 640, level: 'device' }, AV_STREAM_KEY: { value: true, isSecret: true, level: 'relay' } },
  });
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);
  expect(world.ready).toEqual([{ deviceId: 'pi-1', source: expect.stringMatching(/^the test picture: no camera was found/) }]);
  expect(fleet.problems).toEqual([]);
});

test('a device that waits for approval says so and streams nowhere, unless its own environment says where', async () => {
  const fleet = await startedFleet();
  const { media, lines } = await startedAgent(fleet);
  await fleet.hear('hello');
  const nothing: Desired = { ...desired(1), relay: null, waitsForApproval: true };
  await fleet.send('pi-1', 'desired', nothing);
  const waiting = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 1);
  expect(waiting.body.conditions.map(({ code }) => code)).toContain('waits-for-approval');
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  // Said after it was reported.
  await until('the log to say so', 5000, () => lines.join('').includes('waits until somebody approves it in the fleet’s dashboard'));
  await fleet.send('pi-1', 'desired', desired(2, {}, 'b'));
  const approved = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 2);
  expect(approved.body.conditions.map(({ code }) => code)).not.toContain('waits-for-approval');
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);

  const another = await startedFleet();
  const own = await startedAgent(another, { settings: { AV_STREAM_URL: 'rtmp://own.example/live' } });
  await another.hear('hello');
  await another.send('pi-1', 'desired', nothing);
  await another.hear('applied', ({ revision }) => revision === 1);
  expect(own.media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining('own.example') }]);
});

test('refused, rolled back, done once: the fleet hears of each', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  media.fails = ({ capture }) => (capture.width === 320 ? 'not negotiated' : null);
  await fleet.send('pi-1', 'desired', desired(1, { AV_H264_ENCODER_PARAMS: 'no-such-parameter=1' }));
  const refused = await fleet.hear('applied', ({ revision }) => revision === 1);
  expect(refused.body).toMatchObject({ outcome: 'refused', inForceRevision: 0 });
  expect(refused.body.refusals[0]?.reason).toContain('no-such-parameter');
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 320 }));
  expect((await fleet.hear('applied', ({ revision }) => revision === 2)).body).toMatchObject({ outcome: 'rolled-back' });
  expect((await fleet.hear('event', ({ kind }) => kind === 'settings-rolled-back')).body.detail).toContain('not negotiated');
  const command = { id: 'command-1', kind: 'restart-pipeline', arguments: {}, deadline: new Date(Date.now() + 60_000).toISOString() };
  await fleet.send('pi-1', 'command', command);
  expect((await fleet.hear('command-result')).body).toMatchObject({ id: 'command-1', outcome: 'done' });
  const from = fleet.heard.length;
  await fleet.send('pi-1', 'command', command);
  await fleet.hear('command-result', () => true, from);
  expect(media.restarts).toBe(1);
});

test('a recording that is switched by hand is done when the file grows, outlives the agent, and ends with the next settings', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, {}));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  const planned = first.media.nextPlan();
  await fleet.send('pi-1', 'command', { id: 'command-1', kind: 'start-recording', arguments: {}, deadline });
  await planned;
  expect(first.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }, { kind: 'recording' }]);
  expect(fleet.heard.filter(({ name }) => name === 'command-result')).toEqual([]);
  first.media.outputs = [recording({ kind: 'waiting', attempt: 2, nextTryAt: '2026-11-21T12:00:00Z', lastError: 'the disk is read-only' })];
  first.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  first.media.outputs = [recording({ kind: 'streaming', since: '2026-11-21T12:00:00Z' })];
  first.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  const result = await fleet.hear('command-result');
  expect(result.body).toEqual({
    id: 'command-1',
    outcome: 'done',
    detail: 'recording to 2026-11-21T12-00-00Z.flv until the next settings',
  });
  await first.agent.stop();

  const from = fleet.heard.length;
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans[0]?.outputs).toMatchObject([{ kind: 'rtmp' }, { kind: 'recording' }]);
  await fleet.hear('hello', () => true, from);
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(second.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
});

test('a stream that is stopped by hand stays off the air, over a restart and other settings, until it is started again', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, {}));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-stop', kind: 'stop-streaming', arguments: {}, deadline });
  expect((await fleet.hear('command-result')).body).toEqual({
    id: 'command-stop',
    outcome: 'done',
    detail: 'nothing is streamed until it is started again, or the settings of the stream change',
  });
  expect(first.media.plans.at(-1)?.outputs).toEqual([]);
  const { body } = await fleet.hear('report', ({ conditions }) => conditions.some(({ code }) => code === 'stopped-by-command'));
  expect(body).toMatchObject({ media: { kind: 'running' }, outputs: [] });
  expect(first.lines.join('')).toContain('stopped by command');
  await first.agent.stop();

  const from = fleet.heard.length;
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  await fleet.hear('hello', () => true, from);
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(second.media.plans.map(({ outputs }) => outputs)).toEqual(second.media.plans.map(() => []));
  const planned = second.media.nextPlan();
  await fleet.send('pi-1', 'command', { id: 'command-start', kind: 'start-streaming', arguments: {}, deadline });
  await planned;
  expect(second.media.plans.at(-1)).toMatchObject({ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] });
  second.media.outputs = [streaming()];
  second.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  expect((await fleet.hear('command-result', ({ id }) => id === 'command-start')).body.detail).toBe('streaming to rtmp://fleet/live');
  await fleet.hear('report', ({ conditions, outputs }) => outputs.length === 1 && conditions.every(({ code }) => code === 'test-picture'));
});

test('a stream that is started by hand outside its hours ends with the next ones, or with settings of its own', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  const day = new Date().getUTCDay();
  const otherDay = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][(day + 3) % 7];
  const hours = { AV_STREAM_SCHEDULE: `${otherDay} 09:00-11:00`, AV_TIME_ZONE: 'UTC' };
  await fleet.send('pi-1', 'desired', desired(1, hours));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  await fleet.hear('report', ({ conditions }) => conditions.some(({ code }) => code === 'outside-schedule'));
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  const from = fleet.heard.length;
  const planned = media.nextPlan();
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-start', kind: 'start-streaming', arguments: {}, deadline });
  await planned;
  media.outputs = [streaming()];
  media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  expect((await fleet.hear('command-result')).body.outcome).toBe('done');
  await fleet.hear('report', ({ conditions }) => conditions.every(({ code }) => code !== 'outside-schedule'), from);
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  await fleet.send('pi-1', 'desired', desired(2, { ...hours, AV_STREAM_SCHEDULE: `${otherDay} 09:00-12:00` }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(media.plans.at(-1)?.outputs).toEqual([]);
});

test('a snapshot arrives before the word that it was taken', async () => {
  const fleet = await startedFleet();
  await startedAgent(fleet);
  await fleet.hear('hello');
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-1', kind: 'snapshot', arguments: {}, deadline });
  const { body } = await fleet.hear('command-result');
  expect(body).toMatchObject({ outcome: 'done', detail: expect.stringMatching(/^320x180, \d+ kB$/) });
  expect(fleet.snapshots.map(jpegSize)).toEqual([{ width: 320, height: 180 }]);
  expect(fleet.problems).toEqual([]);
});

test('a failed pipeline is told at once, with what happened', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  media.say({ kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'no such device' });
  media.happen('pipeline-failed', 'no such device');
  media.happen('Odd Name!', 'something');
  const health = await fleet.hear('health', (body) => body.media.kind === 'failed');
  expect(health.body.conditions).toContainEqual(expect.objectContaining({ code: 'pipeline-failed', detail: 'no such device' }));
  expect((await fleet.hear('event', ({ kind }) => kind === 'pipeline-failed')).body.detail).toBe('no such device');
  await fleet.hear('event', ({ kind }) => kind === 'media-event');
});

test('a camera that is plugged in when the pipeline fails is taken', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet);
  await fleet.hear('hello');
  world.hardware = { ...bareHardware, cameras: [webcam] };
  world.fingerprint = 'a webcam';
  const planned = media.nextPlan();
  media.say({ kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'gone' });
  await planned;
  expect(media.plans.at(-1)?.capture.source.kind).toBe('camera');
  expect((await fleet.hear('event', ({ kind }) => kind === 'camera-found')).body.detail).toContain('Test webcam');
  await fleet.hear('report', ({ source, inventory }) => source?.kind === 'camera' && inventory.cameras.length === 1);
});

test('a camera that is pulled out is planned for all the same, and is out of the inventory', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { hardware: { ...bareHardware, cameras: [webcam] } });
  await fleet.hear('report', ({ source }) => source?.kind === 'camera');
  world.hardware = bareHardware;
  world.fingerprint = 'nothing';
  media.say({ kind: 'no-signal', since: '2026-11-21T12:00:00Z', reason: 'the device is gone' });
  const { body } = await fleet.hear('report', ({ inventory }) => inventory.cameras.length === 0);
  expect(body).toMatchObject({ source: { kind: 'camera', id: webcam.id }, media: { kind: 'no-signal', reason: 'the device is gone' } });
  expect(body.conditions.map(({ code }) => code)).toEqual(expect.arrayContaining(['no-signal']));
  expect(new Set(media.plans.map((plan) => JSON.stringify(plan.capture))).size).toBe(1);
  world.hardware = { ...bareHardware, cameras: [{ ...webcam, path: '/dev/video2' }] };
  world.fingerprint = 'another node';
  const planned = media.nextPlan();
  media.say({ kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'gone' });
  await planned;
  expect(media.plans.at(-1)?.capture.description).toContain('/dev/video2');
});

test('a restart finds the same device, the same settings and the next session', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  const before = await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(7, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied');
  await first.agent.stop();
  expect((await fleet.hear('presence', ({ state }) => state === 'offline')).body.reason).toBe('stopping');
  fleet.onEnrolment = () => ({ status: 500, body: {} });
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans[0]?.capture.width).toBe(640);
  expect(second.media.plans[0]?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);
  const after = await fleet.hear('hello', (_body, { session }) => session.counter > before.session.counter);
  expect(after.body).toMatchObject({ appliedRevision: 7, appliedDigest: 'a'.repeat(64) });
  expect(after.session.counter).toBe(before.session.counter + 1);
});

test('power comes back and the network does not: the last good settings are in force within the first second', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(7, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied');
  await first.agent.stop();
  await fleet.crash();
  const beganMs = performance.now();
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(performance.now() - beganMs).toBeLessThan(1000);
  expect(second.media.plans).toHaveLength(1);
  expect(second.media.plans[0]).toMatchObject({ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] });
  expect(second.media.plans[0]?.outputs[0]).toMatchObject({ location: expect.stringContaining(relayKey) });
  expect(second.world.ready).toMatchObject([{ deviceId: 'pi-1' }]);
});

test('without a fleet it streams where its environment says', async () => {
  const settings = { AV_STREAM_URL: 'rtmp://own.example/live', AV_STREAM_KEY: 'own-secret' };
  const { media, world, lines } = await startedAgent(null, { settings });
  expect(media.plans).toMatchObject([{ outputs: [{ location: 'rtmp://own.example/live/own-secret' }] }]);
  expect(world.ready).toMatchObject([{ deviceId: null }]);
  expect(lines.join('')).not.toContain('own-secret');
});

test('a whole run writes no secret into its log, at the most talkative level', async () => {
  const fleet = await startedFleet();
  const { media, lines, agent } = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, { AV_STREAM_URL: 'rtmp://elsewhere/live', AV_STREAM_KEY: 'device-secret' }));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  await fleet.send('pi-1', 'desired', desired(2, { AV_STREAM_KEY: 'wrong secret!' }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  await fleet.sendRaw('msl/v1/d/pi-1/desired', '{"v":1,"body":"malformed-secret"');
  media.fails = () => 'not negotiated';
  await fleet.send('pi-1', 'desired', desired(3, { AV_VIDEO_WIDTH: 320, AV_STREAM_KEY: 'other-secret' }));
  await fleet.hear('applied', ({ revision }) => revision === 3);
  fleet.refusals = [5];
  const from = fleet.heard.length;
  fleet.dropConnections();
  await fleet.hear('hello', () => true, from);
  await agent.stop();
  expect(lines.length).toBeGreaterThan(8);
  const everything = lines.join('') + JSON.stringify(fleet.heard);
  for (const secret of [joinToken, credential, 'relay-secret', 'device-secret', 'wrong secret', 'malformed-secret', 'other-secret']) {
    expect(everything).not.toContain(secret);
  }
});
