/**
 * One nginx: started, found again, ended. Restarting is not decided here.
 *
 * nginx leads a process group of its own, so that neither a Ctrl-C at the terminal nor the death of this server ends the streams.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '#fleet-server/clock.ts';
import type { NginxControl } from '#fleet-server/relay/nginx-control.ts';
import { groupMembers, isOurMaster, signalGroup } from '#fleet-server/relay/process-group.ts';
import { RelayError, relayPortInUse } from '#fleet-server/relay/relay-error.ts';
import type { RuntimePaths } from '#fleet-server/relay/runtime-directory.ts';

const startTimeoutMs = 5000;
const readyPollMs = 20;
const stopTimeoutMs = 2000;
const killTimeoutMs = 3000;
const stopPollMs = 20;
const adoptedPollMs = 250;
/** Lines of nginx that are kept to explain a failed start. */
const keptLines = 10;

const Running = Type.Object({ processId: Type.Integer({ minimum: 2 }), configDigest: Type.String() });
const runningValidator = Compile(Running);

export type NginxProcessOptions = {
  readonly program: string;
  readonly config: string;
  readonly rtmpPort: number;
  readonly paths: RuntimePaths;
  readonly control: NginxControl;
  readonly clock: Clock;
  /** One line of nginx's error log. */
  onLine(line: string): void;
};

export type LivingNginx = {
  readonly processId: number;
  readonly adopted: boolean;
  /** Resolves, with how it came about, when the master process is gone. */
  readonly gone: Promise<string>;
  /** The process is no longer watched. */
  forget(): void;
};

export class NginxProcess {
  readonly #options: NginxProcessOptions;
  readonly #configDigest: string;

  constructor(options: NginxProcessOptions) {
    this.#options = options;
    this.#configDigest = createHash('sha256').update(`${options.program}\n${options.config}`).digest('hex');
  }

  /** The nginx that an earlier life of this server left running, if it is just what would be started now; any other is ended. */
  async adopt(): Promise<LivingNginx | undefined> {
    const record = await this.#readRecord();
    if (record === undefined) return undefined;
    const { processId, configDigest } = record;
    const isLiving = await isOurMaster(processId, this.#options.paths.base);
    if (isLiving && configDigest === this.#configDigest && (await this.#answers())) return this.#watchAdopted(processId);
    await this.end(processId);
    return undefined;
  }

  /** Starts nginx and waits until it answers. */
  async launch(): Promise<LivingNginx> {
    const { paths, program, config, rtmpPort } = this.#options;
    await refusePortInUse(rtmpPort);
    await rm(paths.controlSocket, { force: true });
    await writeFile(paths.configFile, config, { mode: 0o600 });
    const child = spawn(program, ['-p', `${paths.base}/`, '-c', paths.configFile, '-e', 'stderr'], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {},
    });
    const lastLines = this.#readLines(child);
    const gone = whenGone(child);
    let isGone = false;
    void gone.then(() => {
      isGone = true;
    });
    const { pid } = child;
    if (pid === undefined) throw new RelayError('relay-start-failed', `nginx could not be started: ${await gone}`);
    await this.#writeRecord({ processId: pid, configDigest: this.#configDigest });
    const deadlineMs = this.#options.clock.monotonicMs() + startTimeoutMs;
    while (!(await this.#answers())) {
      if (isGone || this.#options.clock.monotonicMs() > deadlineMs) {
        await this.end(pid);
        throw startFailure(rtmpPort, lastLines, isGone ? await gone : `it did not answer within ${startTimeoutMs} ms`);
      }
      await this.#pause(readyPollMs);
    }
    return { processId: pid, adopted: false, gone, forget: () => {} };
  }

  /**
   * Ends master and workers: softly, and after two seconds hard. Nothing of them is left when it resolves, unless the kernel
   * itself holds one for more than three seconds more: then whatever comes next finds the port in use, and says so.
   */
  async end(masterId: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await signalGroup(masterId, signal);
    const startedAtMs = this.#options.clock.monotonicMs();
    while ((await groupMembers(masterId)).length > 0) {
      const elapsedMs = this.#options.clock.monotonicMs() - startedAtMs;
      if (elapsedMs > stopTimeoutMs + killTimeoutMs) break;
      if (elapsedMs > stopTimeoutMs) await signalGroup(masterId, 'SIGKILL');
      await this.#pause(stopPollMs);
    }
    await rm(this.#options.paths.recordFile, { force: true });
  }

  #watchAdopted(processId: number): LivingNginx {
    let cancel = () => {};
    const gone = new Promise<string>((resolve) => {
      cancel = this.#options.clock.every(adoptedPollMs, () => {
        void isOurMaster(processId, this.#options.paths.base).then((isLiving) => {
          if (isLiving) return;
          cancel();
          resolve('it ended');
        });
      });
    });
    return { processId, adopted: true, gone, forget: () => cancel() };
  }

  #answers(): Promise<boolean> {
    return this.#options.control.statistics().then(
      () => true,
      () => false,
    );
  }

  #readLines(child: ChildProcess): string[] {
    const lastLines: string[] = [];
    if (child.stderr === null) return lastLines;
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      this.#options.onLine(line);
    });
    return lastLines;
  }

  async #readRecord(): Promise<Static<typeof Running> | undefined> {
    const text = await readFile(this.#options.paths.recordFile, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return runningValidator.Check(value) ? (value as Static<typeof Running>) : undefined;
    } catch (cause) {
      // Written by rename, so it is never half there; one that is damaged all the same says nothing.
      if (cause instanceof SyntaxError) return undefined;
      throw cause;
    }
  }

  async #writeRecord(record: Static<typeof Running>): Promise<void> {
    const { recordFile } = this.#options.paths;
    await writeFile(`${recordFile}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${recordFile}.new`, recordFile);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve));
  }
}

function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`));
    child.once('error', (error) => resolve(error.message));
  });
}

function startFailure(rtmpPort: number, lines: readonly string[], reason: string): RelayError {
  const text = lines.join(' ').slice(0, 1000);
  if (text.includes('Address already in use')) return relayPortInUse(rtmpPort);
  return new RelayError('relay-start-failed', `nginx did not start: ${reason}. ${text}`.trim());
}

/** nginx would try for two and a half seconds, and then say so in a log. */
function refusePortInUse(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') reject(relayPortInUse(port));
      else reject(new RelayError('relay-start-failed', `The relay cannot listen on TCP port ${port}: ${cause.message}`, { cause }));
    });
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => probe.close(() => resolve()));
  });
}
