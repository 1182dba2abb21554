/** The whole agent in one process, on a real broker over real sockets; only the media host is a small object of ours. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Agent } from '#device/agent.ts';
import type { AgentReady, Media } from '#device/agent-options.ts';
import { LogTail } from '#device/commands/log-tail.ts';
import type { Configuration } from '#device/configuration.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { createLog } from '#device/logging.ts';
import { type Clock, systemClock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { ApplyOutcome, MediaEvent, PictureOutcome } from '#device/media/media-host-supervisor.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { readCredentials } from '#device/uplink/credentials.ts';
import type { MediaState, OutputStatus } from '#protocol/media.ts';
import { bareHardware } from './bare-machine.ts';
import { madeKeyframe } from './commands/made-keyframe.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import type { TestFleet } from './uplink/test-fleet.ts';

export const joinToken = 'join-token-secret-1234';

export class FakeMedia implements Media {
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

export function streaming(): OutputStatus {
  return {
    id: 'rtmp',
    kind: 'rtmp',
    target: 'rtmp://fleet/live',
    state: { kind: 'streaming', since: '2026-11-21T12:00:00Z' },
    ...counters,
  };
}

export function recording(state: OutputStatus['state']): OutputStatus {
  const figures = { file: '2026-11-21T12-00-00Z.flv', fileBytes: 1, freeBytes: 1e9, fault: null };
  return { id: 'recording', kind: 'recording', target: 'recordings on the device', state, ...counters, recording: figures };
}

export async function startedAgent(
  fleet: TestFleet | null,
  options: {
    directory?: string;
    settings?: Configuration['settings'];
    hardware?: DetectedHardware;
    leftOutProfiles?: readonly string[];
    clock?: Clock;
    machineClock?: boolean;
    hasLostCredentials?: boolean;
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
    configuration: {
      stateDirectory,
      fleet: access,
      settings: options.settings ?? {},
      boardId: null,
      logLevel: 'debug',
      refused: [],
      unknownNames: [],
    },
    state,
    credentials: access === null ? null : await readCredentials(state, access),
    hasLostCredentials: options.hasLostCredentials ?? false,
    copyOf: null,
    board: null,
    media,
    detect: async () => world.hardware,
    hardwareFingerprint: async () => world.fingerprint,
    askMachineClock: async () => options.machineClock ?? null,
    profiles: await loadProfiles(),
    leftOutProfiles: options.leftOutProfiles ?? [],
    versions: { agent: '0.1.0', node: '24', os: 'Debian' },
    clock: options.clock ?? systemClock,
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
