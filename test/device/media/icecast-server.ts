/** A real Icecast in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../free-ports.ts';
import { until } from '../../until.ts';

export const icecastPassword = 'hush-hush';

export class IcecastServer {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  static async start(): Promise<IcecastServer> {
    const folder = await mkdtemp(join(tmpdir(), 'icecast-'));
    const port = await freePort();
    for (const name of ['log', 'web', 'admin']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'icecast.xml'), configuration(folder, port));
    // Started by root it becomes nobody, who is to write the logs.
    for (const path of [folder, join(folder, 'log')]) await chmod(path, 0o777);
    const server = new IcecastServer(folder, port);
    await server.run();
    return server;
  }

  address(mount: string, password = icecastPassword): string {
    return `icecast://source:${password}@127.0.0.1:${this.port}/${mount}`;
  }

  listenUrl(mount: string): string {
    return `http://127.0.0.1:${this.port}/${mount}`;
  }

  async run(): Promise<void> {
    const running = spawn('icecast2', ['-c', join(this.#folder, 'icecast.xml')], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#process = running;
    await until('Icecast to answer or to end', 30_000, async () => {
      return running.exitCode !== null || (await fetch(this.listenUrl('status-json.xsl'))).status > 0;
    });
    if (running.exitCode !== null) throw new Error(`expected Icecast to listen on port ${this.port}; it ended with ${running.exitCode}`);
  }

  suspend(): void {
    this.#process?.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGCONT');
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, port: number): string {
  const owner = process.getuid?.() === 0 ? '<changeowner><user>nobody</user><group>nogroup</group></changeowner>' : '';
  return `<icecast><limits><clients>10</clients><sources>4</sources><source-timeout>5</source-timeout></limits>
<authentication><source-password>${icecastPassword}</source-password><admin-user>admin</admin-user><admin-password>x</admin-password></authentication>
<hostname>localhost</hostname><listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><basedir>${folder}</basedir><logdir>${folder}/log</logdir><webroot>${folder}/web</webroot><adminroot>${folder}/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
<security><chroot>0</chroot>${owner}</security></icecast>
`;
}
