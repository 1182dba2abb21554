/**
 * Makes an agent restart its output and change its settings, thousands of times: a real agent with its media host and
 * GStreamer, a real broker, a real nginx. An output is restarted by another stream key, and has to be connected again before
 * the next one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askAgent } from '#device/doctor/agent-status.ts';
import { leanNodeFlags } from '#device/lean-node.ts';
import type { Health } from '#protocol/messages.ts';
import type { WireSettings } from '#protocol/settings.ts';
import { startPlainRelay } from '../bench/plain-relay.ts';
import { TestFleet } from '../device/uplink/test-fleet.ts';
import { endProcessesWith } from '../processes.ts';
import { until } from '../until.ts';
import type { SoakRow } from './soak-table.ts';

export type SoakOptions = {
  readonly outputRestarts: number;
  readonly settingsChanges: number;
  readonly rows: number;
  /** The agent: its sources or its bundle. */
  readonly program: string;
  readonly rtmpPort: number;
  readonly onRow: (row: SoakRow) => void;
  /** Ends the run in order, with the rows so far. */
  readonly signal?: AbortSignal;
};

const credential = 'credential-of-the-soak-'.padEnd(43, 'x');
const connectBoundMs = 20_000;
/** What was heard is of no use later, and must not fill this process. */
const keptMessages = 1000;

export async function runSoak(options: SoakOptions): Promise<readonly SoakRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'makespacelive-soak-'));
  const fleet = new TestFleet();
  fleet.onEnrolment = () => {
    fleet.credentials.set('pi-1', credential);
    return { status: 201, body: { deviceId: 'pi-1', credential } };
  };
  await mkdir(join(folder, 'relay'));
  const [relay] = await Promise.all([startPlainRelay(join(folder, 'relay'), options.rtmpPort), fleet.start()]);
  const stateDirectory = join(folder, 'state');
  const agent = startAgent(options.program, stateDirectory, fleet.url);
  try {
    return await new Soak(options, fleet, agent, stateDirectory).run();
  } finally {
    const gone = once(agent, 'exit');
    if (agent.exitCode === null && agent.signalCode === null) {
      agent.kill('SIGTERM');
      await gone;
    }
    await fleet.crash();
    await relay.stop();
    endProcessesWith(folder, 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function startAgent(program: string, stateDirectory: string, fleetUrl: string): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    MALLOC_ARENA_MAX: '2',
    AGENT_STATE_DIR: stateDirectory,
    AGENT_LOG_LEVEL: 'error',
    FLEET_URL: fleetUrl,
    FLEET_JOIN_TOKEN: 'join-token-of-the-soak',
    AV_VIDEO_SOURCE: 'test',
  };
  return spawn(process.execPath, [...leanNodeFlags, program], { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

class Soak {
  readonly #options: SoakOptions;
  readonly #fleet: TestFleet;
  readonly #agent: ChildProcess;
  readonly #stateDirectory: string;
  readonly #beganMs = performance.now();
  readonly #rows: SoakRow[] = [];
  #revision = 0;
  #restarts = 0;
  #changes = 0;

  constructor(options: SoakOptions, fleet: TestFleet, agent: ChildProcess, stateDirectory: string) {
    this.#options = options;
    this.#fleet = fleet;
    this.#agent = agent;
    this.#stateDirectory = stateDirectory;
  }

  async run(): Promise<readonly SoakRow[]> {
    const { outputRestarts, settingsChanges, rows, signal } = this.#options;
    await until('the agent to say hello', 30_000, () => this.#fleet.heard.some(({ name }) => name === 'hello'));
    await this.#apply();
    await this.#untilConnected();
    const steps = outputRestarts + settingsChanges;
    const isAborted = (): boolean => signal?.aborted === true;
    for (let step = 1; step <= steps && !isAborted(); step += 1) {
      // Changes are spread evenly over the restarts.
      const isChange = Math.floor((step * settingsChanges) / steps) > Math.floor(((step - 1) * settingsChanges) / steps);
      try {
        await (isChange ? this.#change() : this.#restart());
      } catch (cause) {
        // Ctrl-C reaches the agent as well.
        if (isAborted()) break;
        throw cause;
      }
      this.#tidy();
      if (Math.floor((step * rows) / steps) > Math.floor(((step - 1) * rows) / steps)) await this.#note();
    }
    return this.#rows;
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    await this.#apply();
    await this.#untilConnected();
  }

  /** By turns a bitrate (live), a keyframe interval and another size (new captures). */
  async #change(): Promise<void> {
    this.#changes += 1;
    await this.#apply();
    await until('a stream after the change', connectBoundMs, async () => {
      const output = await this.#output();
      return output?.state.kind === 'streaming' || notYet(output);
    });
  }

  async #apply(): Promise<void> {
    this.#revision += 1;
    const size = Math.floor((this.#changes + 2) / 3) % 2;
    const settings: WireSettings = {
      AV_STREAM_URL: `rtmp://127.0.0.1:${this.#options.rtmpPort}/live`,
      AV_STREAM_KEY: `soak-${this.#restarts}`,
      AV_VIDEO_WIDTH: size === 0 ? 320 : 256,
      AV_VIDEO_HEIGHT: size === 0 ? 180 : 144,
      AV_VIDEO_FRAMERATE: 15,
      AV_VIDEO_BITRATE: 200 + 50 * (Math.floor(this.#changes / 3) % 4),
      AV_KEYFRAME_INTERVAL: 1 + (Math.floor((this.#changes + 1) / 3) % 2),
    };
    const revision = this.#revision;
    const digest = createHash('sha256').update(JSON.stringify(settings)).digest('hex');
    await this.#fleet.send('pi-1', 'desired', { revision, digest, levels: { fleet: {}, group: {}, device: settings }, relay: null });
    const { body } = await this.#fleet.hear('applied', (applied) => applied.revision === revision);
    if (body.outcome !== 'applied') throw new Error(`revision ${revision} ${body.outcome}: ${JSON.stringify(body.refusals)}`);
  }

  /** The count of connections begins anew with each output: another key is another plan. */
  async #untilConnected(): Promise<void> {
    await until('the output connected again', connectBoundMs, async () => {
      const output = await this.#output();
      return (output?.state.kind === 'streaming' && output.connections > 0) || notYet(output);
    });
  }

  async #output(): Promise<Health['outputs'][number] | undefined> {
    return (await askAgent(this.#stateDirectory))?.health?.outputs[0];
  }

  #tidy(): void {
    const { heard } = this.#fleet;
    const newest = heard.findLast(({ name }) => name === 'event');
    if (heard.length < keptMessages) return;
    heard.splice(0, heard.length - keptMessages / 2);
    this.#fleet.previews.length = 0;
    const number = newest === undefined || !('number' in newest.body) ? null : Number(newest.body.number);
    if (number !== null) void this.#fleet.send('pi-1', 'event-ack', { upToNumber: number });
  }

  async #note(): Promise<void> {
    const host = Number(await readFile(join(this.#stateDirectory, 'media-host.pid'), 'utf8'));
    const row: SoakRow = {
      elapsedS: (performance.now() - this.#beganMs) / 1000,
      restarts: this.#restarts,
      changes: this.#changes,
      agentRssBytes: rssBytes(Number(this.#agent.pid)),
      hostRssBytes: rssBytes(host),
    };
    this.#rows.push(row);
    this.#options.onRow(row);
  }
}

/** Asked again; when the time is over, this is what is told. */
function notYet(output: Health['outputs'][number] | undefined): never {
  throw new Error(output === undefined ? 'the agent names no output' : JSON.stringify(output));
}

/** The resident set now. Source: proc(5), /proc/pid/status. */
function rssBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}
