/** The whole system as a user runs it: "npm start" with its own ports and folders, watched from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail, DeviceList, Playback } from '#protocol/model/device.ts';
import type { History } from '#protocol/model/history.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { freePorts } from '../free-ports.ts';
import { isRunning, processesWith } from '../processes.ts';
import { until } from '../until.ts';

const root = join(import.meta.dirname, '..', '..');
const startBoundMs = 60_000;

export type RunningSystem = {
  readonly folder: string;
  readonly dataDirectory: string;
  readonly stateDirectory: string;
  readonly url: string;
  readonly mqttPort: number;
  readonly adminPassword: string;
  readonly environment: NodeJS.ProcessEnv;
  /** All that it has printed until now. */
  output(): string;
  api: Api;
  /** Ctrl-C, then whether it said that everything has stopped. (npm itself ends by the signal, so its exit code tells nothing.) */
  stop(): Promise<boolean>;
  remove(): Promise<void>;
};

export type Api = {
  request(method: string, path: string, body?: unknown): Promise<Response>;
  devices(): Promise<DeviceList>;
  device(id: string): Promise<DeviceDetail>;
  settings(id: string): Promise<DeviceSettings>;
  patchSettings(id: string, patch: Record<string, unknown>): Promise<DeviceSettings>;
  command(id: string, kind: string): Promise<CommandStatus>;
  history(id: string): Promise<History>;
  playback(id: string): Promise<Playback>;
};

export async function prepareSystem(): Promise<{ readonly folder: string; readonly environment: NodeJS.ProcessEnv }> {
  const folder = await mkdtemp(join(tmpdir(), 'makespacelive-'));
  const [http, mqtt, rtmp] = await freePorts(3);
  return {
    folder,
    environment: {
      ...withoutOurs(process.env),
      FLEET_HTTP_PORT: String(http),
      FLEET_MQTT_PORT: String(mqtt),
      FLEET_RTMP_PORT: String(rtmp),
      FLEET_DATA_DIR: join(folder, 'fleet-server'),
      FLEET_ADMIN_PASSWORD: 'correct horse battery staple',
      AGENT_STATE_DIR: join(folder, 'agent'),
      // The relay's process number stands in the log.
      FLEET_LOG_LEVEL: 'info',
    },
  };
}

/** The variables of the test runner and of the person who runs it must not reach the system. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(AV_|FLEET_|AGENT_|VITEST|NODE_ENV$|NODE_OPTIONS$)/.test(name)),
  );
}

/** @param prefix a program to run it in, such as one that makes a network of its own */
export function spawnStart(
  environment: NodeJS.ProcessEnv,
  prefix: readonly string[] = [],
): { readonly child: ChildProcess; output(): string } {
  const [program = '', ...args] = [...prefix, 'npm', 'start'];
  // A group of its own, as a terminal gives to a job: Ctrl-C is a signal to the group.
  const child = spawn(program, args, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { child, output: () => text };
}

export async function startSystem(): Promise<RunningSystem> {
  const { folder, environment } = await prepareSystem();
  return launchSystem(folder, environment);
}

/** Starts the system again on the folder of an earlier run. */
export async function launchSystem(folder: string, environment: NodeJS.ProcessEnv): Promise<RunningSystem> {
  const { child, output } = spawnStart(environment);
  const exited = once(child, 'exit');
  await until('the welcome of npm start', startBoundMs, () => {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output()}`);
    return output().includes('MakeSpaceLive runs.');
  }).catch((cause: unknown) => {
    throw new Error(`npm start printed:\n${output()}`, { cause });
  });
  const url = `http://localhost:${environment['FLEET_HTTP_PORT']}`;
  const made = /password (\S+) \(made now/.exec(output())?.[1];
  const adminPassword = environment['FLEET_ADMIN_PASSWORD'] ?? environment['KNOWN_ADMIN_PASSWORD'] ?? made ?? '';
  return {
    folder,
    dataDirectory: String(environment['FLEET_DATA_DIR']),
    stateDirectory: String(environment['AGENT_STATE_DIR']),
    url,
    mqttPort: Number(environment['FLEET_MQTT_PORT']),
    adminPassword,
    environment,
    output,
    api: await signIn(url, adminPassword),
    async stop() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      await exited;
      return output().endsWith('Stopped.\n');
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The master process of the relay's nginx, which hides its arguments and environment: the fleet server's log names it. */
export function relayProcess(output: string): number {
  const all = [...output.matchAll(/"processId":(\d+),[^\n]*"msg":"relay: (?:nginx runs|took over)/g)];
  return Number(all.at(-1)?.[1]);
}

/** What of the system still runs: every process that was given its folder, and the relay. */
export function remainingProcesses(folder: string, output = ''): readonly string[] {
  const relay = relayProcess(output);
  const left = processesWith(folder).map(({ pid, commandLine }) => `${pid} ${commandLine}`);
  return isRunning(relay) ? [...left, `${relay} the relay`] : left;
}

async function signIn(url: string, password: string): Promise<Api> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password }),
  });
  if (answer.status !== 200) throw new Error(`expected to be signed in, got ${answer.status}: ${await answer.text()}`);
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');

  async function request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${url}/api/v1${path}`, {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
  async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await request(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
  return {
    request,
    devices: () => json('GET', '/devices'),
    device: (id) => json('GET', `/devices/${id}`),
    settings: (id) => json('GET', `/devices/${id}/settings`),
    patchSettings: (id, patch) => json('PATCH', `/devices/${id}/settings`, patch),
    command: (id, kind) => json('POST', `/devices/${id}/commands`, { kind }),
    history: (id) => json('GET', `/devices/${id}/history`),
    playback: (id) => json('GET', `/devices/${id}/playback`),
  };
}
