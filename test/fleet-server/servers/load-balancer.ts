/** Debian's nginx as the load balancer in front of several fleet servers, with the configuration that docs/compose has. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../free-ports.ts';
import { until } from '../../until.ts';

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';
const configuration = join(import.meta.dirname, '..', '..', '..', 'docs', 'compose', 'load-balancer.conf');
export const canBalance = existsSync(streamModule);

/** The containers' image has its own places for these. */
export function onThisMachine(text: string, folder: string): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${folder}/${what};`).join(' ');
  const ours = `load_module ${streamModule};\npid ${folder}/nginx.pid;\nerror_log ${folder}/error.log;\n`;
  return ours + text.replace(/^http \{$/m, `http {\n  ${places}`);
}

export type Ports = { readonly http: number; readonly mqtt: number; readonly rtmp: number };
/** As the containers have them. */
const inContainers: Ports = { http: 8080, mqtt: 1883, rtmp: 1935 };

export class LoadBalancer {
  readonly ports: Ports;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  private constructor(folder: string, ports: Ports) {
    this.#folder = folder;
    this.ports = ports;
  }

  static async prepare(): Promise<LoadBalancer> {
    const [http = 0, mqtt = 0, rtmp = 0] = await freePorts(3);
    return new LoadBalancer(await mkdtemp(join(tmpdir(), 'msl-balancer-')), { http, mqtt, rtmp });
  }

  /** Only names and ports, of which this machine has one each, are other than in the file. */
  async start(servers: readonly Ports[]): Promise<void> {
    let text = await readFile(configuration, 'utf8');
    for (const name of ['http', 'mqtt', 'rtmp'] as const) {
      text = text.replace(`listen ${inContainers[name]};`, `listen 127.0.0.1:${this.ports[name]};`);
      for (const [index, ports] of servers.entries())
        text = text.replace(`server fleet-${index + 1}:${inContainers[name]} `, `server 127.0.0.1:${ports[name]} `);
    }
    if (/fleet-\d/.test(text)) throw new Error(`expected a server for each that stands in ${configuration}`);
    const path = join(this.#folder, 'nginx.conf');
    await writeFile(path, onThisMachine(text, this.#folder));
    this.#child = spawn('nginx', ['-p', this.#folder, '-c', path, '-g', 'daemon off;'], { stdio: 'ignore' });
    await until('the load balancer', 10_000, async () => (await fetch(`http://127.0.0.1:${this.ports.http}/healthz`)).ok);
  }

  async remove(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
