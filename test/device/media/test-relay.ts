/** A real nginx with the RTMP module in a directory of its own, and what a test asks of it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../free-ports.ts';
import { until } from '../../until.ts';

const run = promisify(execFile);

export type Publication = { readonly name: string; readonly key: string; readonly clientId: string };
export type Packet = { readonly stream: 'video' | 'audio'; readonly dtsMs: number };
export type Probe = {
  readonly video: { readonly codec: string; readonly width: number; readonly height: number } | null;
  readonly audioCodec: string | null;
};

export class TestRelay {
  /** Each call of on_publish, allowed or not. */
  readonly publications: Publication[] = [];
  isOpen = true;
  readonly #directory: string;
  readonly rtmpPort: number;
  readonly #httpPort: number;
  readonly #hook: Server;
  #nginx: ChildProcess | null = null;

  private constructor(directory: string, rtmpPort: number, httpPort: number, hook: Server) {
    this.#directory = directory;
    this.rtmpPort = rtmpPort;
    this.#httpPort = httpPort;
    this.#hook = hook;
    hook.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const form = new URLSearchParams(body);
      this.publications.push({ name: form.get('name') ?? '', key: form.get('key') ?? '', clientId: form.get('clientid') ?? '' });
      response.writeHead(this.isOpen ? 200 : 403).end();
    });
  }

  static async start(): Promise<TestRelay> {
    const directory = await mkdtemp(join(tmpdir(), 'relay-'));
    const hook = createServer();
    hook.listen(0, '127.0.0.1');
    await once(hook, 'listening');
    const [rtmpPort = 0, httpPort = 0] = await freePorts(2);
    const relay = new TestRelay(directory, rtmpPort, httpPort, hook);
    await writeFile(join(directory, 'nginx.conf'), relay.#configuration((hook.address() as AddressInfo).port));
    await relay.startNginx();
    return relay;
  }

  get target(): string {
    return `rtmp://127.0.0.1:${this.rtmpPort}/live`;
  }

  /** Nothing where it runs; a suspended one goes on. */
  async startNginx(): Promise<void> {
    if (this.#nginx !== null) {
      this.#nginx.kill('SIGCONT');
      return;
    }
    this.#nginx = spawn('/usr/sbin/nginx', ['-p', this.#directory, '-c', 'nginx.conf'], { stdio: 'ignore' });
    await until('nginx answers', 5000, () => this.statistics());
  }

  async killNginx(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const nginx = this.#nginx;
    this.#nginx = null;
    if (nginx === null) return;
    nginx.kill('SIGCONT');
    nginx.kill(signal);
    if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, 'exit');
  }

  suspendNginx(): void {
    this.#nginx?.kill('SIGSTOP');
  }

  async stop(): Promise<void> {
    await this.killNginx();
    this.#hook.closeAllConnections();
    this.#hook.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The page of the statistics module as it is; null while nginx does not answer. */
  async statistics(): Promise<string | null> {
    try {
      return await (await fetch(`http://127.0.0.1:${this.#httpPort}/stat`, { signal: AbortSignal.timeout(2000) })).text();
    } catch {
      return null;
    }
  }

  /** nginx's number of the publishing connection; null where nobody publishes. */
  async publisherId(): Promise<string | null> {
    const page = (await this.statistics()) ?? '';
    for (const [, client = ''] of page.matchAll(/<client>(.*?)<\/client>/gs)) {
      if (client.includes('<publishing/>')) return /<id>(\d+)<\/id>/.exec(client)?.[1] ?? null;
    }
    return null;
  }

  async probe(name: string): Promise<Probe> {
    const { stdout } = await run('ffprobe', [
      ...['-v', 'error', '-rw_timeout', '10000000', '-show_entries', 'stream=codec_type,codec_name,width,height', '-of', 'json'],
      `${this.target}/${name}`,
    ]);
    type Stream = { codec_type: string; codec_name: string; width?: number; height?: number };
    const { streams } = JSON.parse(stdout) as { streams: Stream[] };
    const video = streams.find((stream) => stream.codec_type === 'video');
    const audio = streams.find((stream) => stream.codec_type === 'audio');
    return {
      video: video === undefined ? null : { codec: video.codec_name, width: video.width ?? 0, height: video.height ?? 0 },
      audioCodec: audio?.codec_name ?? null,
    };
  }

  /** The packets that `ffmpeg -c copy` writes, as any viewer's program would get them, until `during` is over. */
  async record(name: string, during: () => Promise<void>): Promise<{ readonly packets: readonly Packet[]; readonly complaints: string }> {
    const input = ['-i', `${this.target}/${name}`, '-map', '0', '-c', 'copy', '-f', 'framecrc', '-flush_packets', '1', '-'];
    const ffmpeg = spawn('ffmpeg', ['-v', 'warning', '-nostdin', ...input], { stdio: ['ignore', 'pipe', 'pipe'] });
    let lines = '';
    let complaints = '';
    ffmpeg.stdout.on('data', (chunk) => {
      lines += String(chunk);
    });
    ffmpeg.stderr.on('data', (chunk) => {
      complaints += String(chunk);
    });
    const ended = once(ffmpeg, 'close');
    try {
      await until('recorded packets', 10_000, () => /^0,/m.test(lines));
      await during();
    } finally {
      ffmpeg.kill('SIGINT');
      await ended;
    }
    return { packets: parsePackets(lines), complaints };
  }

  #configuration(hookPort: number): string {
    return `
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; pid nginx.pid; error_log error.log warn;
events { worker_connections 64; }
rtmp { access_log off; server { listen 127.0.0.1:${this.rtmpPort}; application live {
  live on; on_publish http://127.0.0.1:${hookPort}/on-publish; drop_idle_publisher 20s;
} } }
http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
server { listen 127.0.0.1:${this.#httpPort}; location /stat { rtmp_stat all; } } }
`;
  }
}

/** `#media_type 0: video`, `#tb 0: 1/1000`, then a line a packet: stream, dts, pts, duration, size, checksum. */
function parsePackets(lines: string): readonly Packet[] {
  const kinds = new Map([...lines.matchAll(/^#media_type (\d+): (video|audio)/gm)].map(([, index = '', kind]) => [index, kind]));
  const unitsMs = new Map([...lines.matchAll(/^#tb (\d+): 1\/(\d+)/gm)].map(([, index = '', rate]) => [index, 1000 / Number(rate)]));
  return [...lines.matchAll(/^(\d+), *(-?\d+),/gm)].map(([, index = '', dts]) => ({
    stream: kinds.get(index) === 'audio' ? 'audio' : 'video',
    dtsMs: Number(dts) * (unitsMs.get(index) ?? 1),
  }));
}
