/** What a scenario with a stream needs: a relay, a fleet to hear what the agent says, and the agent as it is shipped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Health, Report } from '#protocol/messages.ts';
import { TestRelay } from '../../device/media/test-relay.ts';
import { TestFleet } from '../../device/uplink/test-fleet.ts';
import { until } from '../../until.ts';
import type { Laboratory } from '../scenario.ts';

const agentProgram = join(import.meta.dirname, '..', '..', '..', '.build', 'agent', 'agent.js');
const deviceId = 'laboratory';
const streamName = 'camera';
const joinToken = 'laboratory-join-token';

/** From the start of the agent to its stream at the relay. */
export const firstFrameBoundMs = 60_000;

export type Station = {
  readonly relay: TestRelay;
  readonly fleet: TestFleet;
  /** Where a player opens the stream. */
  readonly address: string;
  readonly lastReport: () => Report | undefined;
  readonly lastHealth: () => Health | undefined;
  /** Kinds of the events that the agent has told, in order. */
  readonly events: () => readonly string[];
};

export type AgentSettings = Readonly<Record<`AV_${string}`, string>>;

/** A picture that an emulated machine encodes with ease. */
export const smallPicture: AgentSettings = {
  AV_VIDEO_WIDTH: '320',
  AV_VIDEO_HEIGHT: '180',
  AV_VIDEO_FRAMERATE: '15',
  AV_VIDEO_BITRATE: '300',
  AV_PREVIEW_INTERVAL: '60',
};

/** Where the agent runs: how it is started with its settings, and where it reaches a port of ours on 127.0.0.1. */
export type Place = {
  readonly start: (environment: Readonly<Record<string, string>>) => unknown;
  readonly reach: (port: number) => Promise<string>;
};

/** `prefix`: what its command begins with. */
export function agentBehind(laboratory: Laboratory, prefix: readonly string[]): Place['start'] {
  return (environment) => startAgent(laboratory, environment, prefix);
}

function here(laboratory: Laboratory): Place {
  return { start: agentBehind(laboratory, []), reach: (port) => Promise.resolve(`127.0.0.1:${port}`) };
}

/** Everything started here ends with the scenario. */
export async function openStation(laboratory: Laboratory, settings: AgentSettings, place: Place = here(laboratory)): Promise<Station> {
  const relay = await TestRelay.start();
  laboratory.undoLater(() => relay.stop());
  const fleet = new TestFleet();
  fleet.onEnrolment = () => {
    const credential = 'laboratory-credential'.padEnd(43, 'x');
    fleet.credentials.set(deviceId, credential);
    return { status: 201, body: { deviceId, credential } };
  };
  await fleet.start();
  laboratory.undoLater(() => fleet.crash());
  const targets = {
    AV_STREAM_URL: `rtmp://${await place.reach(relay.rtmpPort)}/live`,
    AV_STREAM_KEY: streamName,
    FLEET_URL: `http://${await place.reach(Number(new URL(fleet.url).port))}`,
    FLEET_JOIN_TOKEN: joinToken,
    AGENT_LOG_LEVEL: 'debug',
  };
  await place.start({ ...settings, ...targets });
  const last = (name: 'report' | 'health') => fleet.heard.findLast((heard) => heard.name === name)?.body;
  return {
    relay,
    fleet,
    address: `${relay.target}/${streamName}`,
    lastReport: () => last('report') as Report | undefined,
    lastHealth: () => last('health') as Health | undefined,
    events: () => fleet.heard.flatMap(({ name, body }) => (name === 'event' && 'kind' in body ? [String(body.kind)] : [])),
  };
}

/** The station once its stream can be played. */
export async function streamingStation(laboratory: Laboratory, settings: AgentSettings, place: Place = here(laboratory)): Promise<Station> {
  const station = await openStation(laboratory, settings, place);
  await until('a publisher at the relay', firstFrameBoundMs, () => station.relay.publisherId());
  await until('a report of a running capture', firstFrameBoundMs, () => station.lastReport()?.media.kind === 'running');
  return station;
}

function startAgent(laboratory: Laboratory, environment: Readonly<Record<string, string>>, prefix: readonly string[]): void {
  const { PATH = '', HOME = '', LANG = '' } = process.env;
  const own = { PATH, HOME, LANG, AGENT_STATE_DIR: join(laboratory.folder, 'state') };
  const [program = '', ...words] = [...prefix, process.execPath, '--max-semi-space-size=1', agentProgram];
  const child = spawn(program, words, { env: { ...own, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(laboratory.logFile('agent'));
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  const exited = once(child, 'exit');
  laboratory.undoLater(async () => {
    child.kill('SIGTERM');
    await exited;
    log.end();
  });
}
