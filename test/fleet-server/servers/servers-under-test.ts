/** Several real fleet servers on one real PostgreSQL, each with ports and a data directory of its own, and one key. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RuntimePaths, runtimePaths } from '#fleet-server/relay/runtime-directory.ts';
import { until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { environmentFor, type RunningServer, startServer } from '../running-server.ts';
import { createCluster, type PostgresqlCluster } from '../store/postgresql-cluster.ts';
import { SimpleDevice } from './simple-device.ts';

const password = 'a password for tests';

export type OneServer = {
  readonly running: RunningServer;
  readonly environment: NodeJS.ProcessEnv;
  /** As people read it. */
  readonly host: string;
  readonly url: string;
  readonly mqttPort: number;
  readonly rtmpPort: number;
  request(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response>;
  json<T>(method: string, path: string, body?: object): Promise<T>;
};

export class ServersUnderTest {
  readonly servers: OneServer[] = [];
  readonly cluster: PostgresqlCluster;
  readonly #folder: string;
  readonly #changes: Record<string, string>;
  readonly #devices: SimpleDevice[] = [];

  private constructor(cluster: PostgresqlCluster, folder: string, changes: Record<string, string>) {
    this.cluster = cluster;
    this.#folder = folder;
    this.#changes = changes;
  }

  /** `changes`: of the environment of each. */
  static async start(count: number, changes: Record<string, string> = {}): Promise<ServersUnderTest> {
    const cluster = await createCluster();
    const made = new ServersUnderTest(cluster, await mkdtemp(join(tmpdir(), 'msl-servers-')), changes);
    // The first makes the key that the others share.
    await made.add();
    await Promise.all(Array.from({ length: count - 1 }, () => made.add()));
    return made;
  }

  async add(): Promise<OneServer> {
    const directory = join(this.#folder, String(this.servers.length + Math.random()));
    await mkdir(directory, { mode: 0o700 });
    const environment = await environmentFor(directory, {
      FLEET_DATABASE_URL: await this.cluster.url('public'),
      FLEET_KEY_FILE: join(this.#folder, 'shared.key'),
      FLEET_ADMIN_PASSWORD: password,
      FLEET_PUBLIC_RTMP_PORT: '1935',
      FLEET_LOG_LEVEL: 'info',
      ...this.#changes,
    });
    const url = `http://127.0.0.1:${environment['FLEET_HTTP_PORT']}`;
    return this.#launch({ ...environment, FLEET_SERVER_URL: url }, url);
  }

  /** One that was killed, once more. */
  async again({ environment, url }: OneServer): Promise<OneServer> {
    return this.#launch(environment, url);
  }

  async #launch(environment: NodeJS.ProcessEnv, url: string): Promise<OneServer> {
    const running = startServer(environment);
    await running.ready;
    let cookie = '';
    const request = async (method: string, path: string, body?: object, signal: AbortSignal | null = null): Promise<Response> => {
      if (cookie === '') cookie = await signIn(url);
      if (body === undefined) return fetch(`${url}/api/v1${path}`, { method, headers: { cookie }, signal });
      const headers = { cookie, 'content-type': 'application/json' };
      return fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    };
    const server: OneServer = {
      running,
      environment,
      host: new URL(url).host,
      url,
      mqttPort: Number(environment['FLEET_MQTT_PORT']),
      rtmpPort: Number(environment['FLEET_RTMP_PORT']),
      request,
      json: async <T>(method: string, path: string, body?: object) => (await (await request(method, path, body)).json()) as T,
    };
    this.servers.push(server);
    return server;
  }

  server(index: number): OneServer {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`expected a server ${index}, there are ${this.servers.length}`);
    return server;
  }

  /** Joins at one server; connects where the test says. */
  async join(at: OneServer, name: string, group?: string): Promise<SimpleDevice> {
    const { token } = await at.json<{ token: string }>('POST', '/join-tokens', group === undefined ? {} : { group });
    const joined = await at.json<{ deviceId: string; credential: string }>('POST', '/enrolments', { joinToken: token, name });
    const device = new SimpleDevice(joined.deviceId, joined.credential);
    this.#devices.push(device);
    return device;
  }

  /** Ends its nginx, and keeps it from coming back until the answer is called. */
  async breakRelay(server: OneServer): Promise<() => Promise<void>> {
    const inItsPlace = createServer((socket) => socket.destroy());
    process.kill(-(await nginxOf(server)), 'SIGKILL');
    await until('the port to be free', 5000, async () => {
      const listening = once(inItsPlace, 'listening');
      inItsPlace.listen(server.rtmpPort, '0.0.0.0');
      await listening;
      return true;
    });
    return async () => {
      inItsPlace.close();
      await once(inItsPlace, 'close');
    };
  }

  async kill(server: OneServer): Promise<void> {
    server.running.child.kill('SIGKILL');
    await server.running.exit;
  }

  /** With its relay, as when its container ends. */
  async killWithRelay(server: OneServer): Promise<void> {
    const nginx = await nginxOf(server);
    await this.kill(server);
    process.kill(-nginx, 'SIGKILL');
  }

  async remove(): Promise<void> {
    for (const device of this.#devices) device.leave();
    for (const { running } of this.servers) {
      if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill('SIGTERM');
      await running.exit;
    }
    await endAllOf(this.#folder);
    await this.cluster.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function relayPaths({ environment }: OneServer): RuntimePaths {
  const dataDirectory = environment['FLEET_DATA_DIR'] ?? '';
  return runtimePaths({ dataDirectory, isRoot: process.getuid?.() === 0, systemTemporaryDirectory: tmpdir() });
}

async function nginxOf(server: OneServer): Promise<number> {
  return (JSON.parse(await readFile(relayPaths(server).recordFile, 'utf8')) as { processId: number }).processId;
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password }),
  });
  return response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
}
export const leaderLine = 'this fleet server leads';
