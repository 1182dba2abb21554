/** A relay on a free port with real nginx, its HTTP side, and real publishers and players (ffmpeg, ffprobe). */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Fastify, { type FastifyInstance } from 'fastify';
import type { RelayHooks } from '#fleet-server/relay/contract.ts';
import { relayPlugin } from '#fleet-server/relay/plugin.ts';
import type { RelayReception } from '#protocol/model/device.ts';
import { freePort } from '../../free-ports.ts';
import { publisherArguments } from './publisher.ts';

const run = promisify(execFile);

export const hmac = (purpose: string, text: string) => createHmac('sha256', 'secret of this test').update(`${purpose} ${text}`).digest();
export const keyOf = (deviceId: string) => `right-key-of-${deviceId}`;
export const isStreamKeyRight = (deviceId: string, key: string) => key === keyOf(deviceId);
export const isKnown = (deviceId: string) => /^dev-(one|two|three)$/.test(deviceId);

export class RelayBench {
  readonly lines: string[] = [];
  /** Everything that the server would log, requests too. */
  readonly app: FastifyInstance = Fastify({ logger: { level: 'debug', stream: { write: (line: string) => void this.lines.push(line) } } });
  readonly receptions = new Map<string, RelayReception>();
  readonly states: string[] = [];
  readonly rtmpPort: number;
  readonly dataDirectory: string;
  readonly #children: ChildProcess[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(rtmpPort: number, dataDirectory: string) {
    this.rtmpPort = rtmpPort;
    this.dataDirectory = dataDirectory;
  }

  static async make(): Promise<RelayBench> {
    return new RelayBench(await freePort(), await mkdtemp(join(tmpdir(), 'relay-test-')));
  }

  async start(hooks: Partial<RelayHooks> = {}): Promise<this> {
    await this.app.register(relayPlugin, {
      dataDirectory: this.dataDirectory,
      rtmpPort: this.rtmpPort,
      isKnown,
      isStreamKeyRight,
      hmac,
      isViewer: (request) => request.headers.cookie === 'signed-in',
      setReception: (deviceId, reception) => {
        if (reception === null) this.receptions.delete(deviceId);
        else this.receptions.set(deviceId, reception);
        this.#noticed();
      },
      onStateChange: (state) => {
        this.states.push(state.kind);
        this.#noticed();
      },
      ...hooks,
    });
    await this.app.listen({ port: 0, host: '127.0.0.1' });
    return this;
  }

  async stop(): Promise<void> {
    const ended = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      ended.map((child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        return gone;
      }),
    );
    await this.app.close();
    await rm(this.dataDirectory, { recursive: true, force: true });
  }

  /** Waits, without polling, until what the relay reported fits. */
  until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = () => {
        if (!isThere()) return;
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
      waiter();
    });
  }

  address(deviceId: string, argument: string): string {
    return `rtmp://127.0.0.1:${this.rtmpPort}/live/${deviceId}?${argument}`;
  }

  hlsPath(deviceId: string): string {
    return new URL(this.app.relay.playback(deviceId, 'localhost:1').hls).pathname;
  }

  rtmpAddress(deviceId: string): string {
    return this.app.relay.playback(deviceId, '127.0.0.1:1').rtmp;
  }

  get httpPort(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  /** Publishes a test picture with a tone until it is ended. */
  publish(deviceId: string, options: { key?: string; size?: string } = {}): ChildProcess {
    const { key = keyOf(deviceId), size } = options;
    return this.spawn('ffmpeg', publisherArguments(this.address(deviceId, `key=${key}`), size));
  }

  spawn(program: string, parameters: readonly string[]): ChildProcess {
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout?.resume();
    child.stderr?.resume();
    this.#children.push(child);
    return child;
  }

  #noticed(): void {
    for (const waiter of this.#waiters) waiter();
  }
}

/** What ffprobe reads: codec, width and height of each stream. Rejects when it reads nothing. */
export async function probe(address: string): Promise<{ codec_name: string; width?: number; height?: number }[]> {
  const parameters = ['-loglevel', 'error', '-rw_timeout', '8000000', '-show_streams', '-of', 'json', address];
  const { stdout } = await run('ffprobe', parameters, { timeout: 15_000 });
  const { streams = [] } = JSON.parse(stdout) as { streams?: { codec_name: string; width?: number; height?: number }[] };
  if (streams.length === 0) throw new Error('ffprobe read no stream');
  return streams;
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
