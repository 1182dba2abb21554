/** Debian's mosquitto with its dynamic security, on a free port, as docs/mosquitto/mosquitto.conf says. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../free-ports.ts';
import { until } from '../../../until.ts';

const run = promisify(execFile);
const example = new URL('../../../../docs/mosquitto/mosquitto.conf', import.meta.url);
const admin = { name: 'admin', password: 'of-the-administrator' };
const server = { name: 'fleet', password: 'of-the-fleet-servers' };

export type Mosquitto = {
  readonly port: number;
  readonly pid: () => number;
  readonly log: () => string;
  /** What a fleet server is told of it. */
  readonly environment: Record<string, string>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** All clients and roles but the administrator are gone, as from an old copy of the file. */
  forget(): Promise<void>;
  remove(): Promise<void>;
};

export type MosquittoOptions = {
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Without dynamic security: everybody may do everything. */
  readonly isOpen?: boolean;
};

export async function startMosquitto({ tls, isOpen = false }: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'msl-mosquitto-'));
  const port = await freePort();
  const clients = join(folder, 'dynamic-security.json');
  const configuration = join(folder, 'mosquitto.conf');
  let plugin = '';
  for await (const path of glob('/usr/lib/*/mosquitto_dynamic_security.so')) plugin = path;
  const listener = (await readFile(example, 'utf8'))
    .replaceAll('/var/lib/mosquitto/dynamic-security.json', clients)
    .replace(/^plugin .*$/m, isOpen ? '' : `plugin ${plugin}`)
    .replace(/^plugin_opt_config_file .*$/m, (line) => (isOpen ? '' : line))
    .replace(/^allow_anonymous false$/m, `allow_anonymous ${isOpen}`)
    .replace(/^listener 1883$/m, `listener ${port} 127.0.0.1`);
  const secure = tls === undefined ? '' : `certfile ${tls.certFile}\nkeyfile ${tls.keyFile}\n`;
  // It gives its rights away unless told; here it runs as whoever runs the tests.
  await writeFile(configuration, `${listener}\n${secure}${process.getuid?.() === 0 ? 'user root\n' : ''}`);
  const forget = async (): Promise<void> => {
    await rm(clients, { force: true });
    await run('mosquitto_ctrl', ['dynsec', 'init', clients, admin.name, admin.password]);
  };
  await forget();
  let child: ChildProcess | null = null;
  let log = '';
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    const living = child;
    child = null;
    if (living === null || living.exitCode !== null || living.signalCode !== null) return;
    living.kill(signal);
    await once(living, 'exit');
  };
  const start = async (): Promise<void> => {
    child = spawn('mosquitto', ['-c', configuration], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
      });
    }
    await until('mosquitto listens', 10_000, () => isListening(port));
  };
  await start();
  const scheme = tls === undefined ? 'mqtt' : 'mqtts';
  return {
    port,
    pid: () => child?.pid ?? 0,
    log: () => log,
    environment: {
      FLEET_MQTT_URL: `${scheme}://${server.name}:${server.password}@127.0.0.1:${port}`,
      FLEET_MQTT_ADMIN: `${admin.name}:${admin.password}`,
    },
    stop,
    start,
    forget,
    remove: async () => {
      await stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
