/** nginx with the RTMP module at the far end of a link, and a viewer beside it that notes when each picture arrives. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../until.ts';
import type { ConstrainedLink } from './constrained-link.ts';

export type Arrival = {
  readonly atMs: number;
  readonly dtsMs: number;
  readonly isKeyframe: boolean;
  readonly bytes: number;
  readonly checksum: string;
};

const name = 'far';

export class FarSide {
  /** Pictures alone, in the order of their arrival. */
  readonly arrivals: Arrival[] = [];
  readonly target: string;
  readonly #link: ConstrainedLink;
  readonly #folder: string;
  #nginx: ChildProcess | null = null;
  #viewer: ChildProcess | null = null;
  #isWatching = false;
  #keeps = false;

  private constructor(link: ConstrainedLink, folder: string) {
    this.#link = link;
    this.#folder = folder;
    this.target = `rtmp://${link.farAddress}:1935/live`;
  }

  static async start(link: ConstrainedLink): Promise<FarSide> {
    const folder = await mkdtemp(join(tmpdir(), 'far-'));
    const side = new FarSide(link, folder);
    const configuration = `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; pid nginx.pid; error_log error.log warn;
events { worker_connections 64; }
rtmp { access_log off; server { listen 1935; application live { live on; drop_idle_publisher 4s; } } }
`;
    await writeFile(join(folder, 'nginx.conf'), configuration);
    side.startServer();
    return side;
  }

  startServer(): void {
    this.#nginx = this.#link.spawnFar(['/usr/sbin/nginx', '-p', this.#folder, '-c', 'nginx.conf']);
  }

  /** One viewer after the other: each ends with the connection that it watches. `keeps`: what the first one saw stays in `seen`. */
  watch(keeps = false): void {
    this.#isWatching = true;
    this.#keeps = keeps;
    this.#watchOnce();
  }

  /** An FLV file of what came, as it came. */
  get seen(): string {
    return join(this.#folder, 'seen.flv');
  }

  /** The file ends in order then. */
  async endWatching(): Promise<void> {
    this.#isWatching = false;
    const viewer = this.#viewer;
    if (viewer === null || viewer.exitCode !== null) return;
    viewer.kill('SIGINT');
    await once(viewer, 'exit');
  }

  suspendServer(): void {
    this.#nginx?.kill('SIGSTOP');
  }

  async stop(): Promise<void> {
    this.#isWatching = false;
    for (const child of [this.#viewer, this.#nginx]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  untilArrivals(count: number, boundMs: number): Promise<unknown> {
    return until(`${count} pictures at the far side`, boundMs, () => this.arrivals.length >= count);
  }

  /** `ip netns exec` becomes the program itself, so that its id is the program's. */
  #watchOnce(): void {
    const options = ['-v', 'error', '-nostdin', '-fflags', 'nobuffer', '-rw_timeout', '3000000', '-analyzeduration', '1000000'];
    const viewer = this.#link.spawnFar([
      ...['ffmpeg', ...options, '-i', `rtmp://127.0.0.1:1935/live/${name}`, '-map', '0:v', '-c', 'copy'],
      ...['-copyts', '-f', 'framecrc', '-flush_packets', '1', '-'],
      ...(this.#keeps ? ['-map', '0:v', '-map', '0:a', '-c', 'copy', '-f', 'flv', '-y', this.seen] : []),
    ]);
    this.#viewer = viewer;
    let rest = '';
    viewer.stdout?.on('data', (chunk) => {
      const atMs = performance.now();
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const arrival = readArrival(line, atMs);
        if (arrival !== null) this.arrivals.push(arrival);
      }
    });
    viewer.once('exit', () => {
      if (this.#isWatching && !(this.#keeps && this.arrivals.length > 0)) setTimeout(() => this.#isWatching && this.#watchOnce(), 100);
    });
  }
}

/** Of a line that `ffmpeg -f framecrc` writes: stream, dts, pts, duration, size, checksum, and for what is no keyframe `F=0x0`. */
export function readArrival(line: string, atMs: number): Arrival | null {
  const [stream, dts, , , bytes, checksum = '', flags] = line.split(',').map((field) => field.trim());
  if (stream !== '0' || dts === undefined) return null;
  return { atMs, dtsMs: Number(dts), isKeyframe: flags === undefined || !flags.startsWith('F=0x0'), bytes: Number(bytes), checksum };
}

export const farName = name;
