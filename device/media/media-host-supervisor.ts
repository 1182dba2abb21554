/**
 * The agent's side of the media host: adopts or starts it, gives it plans, replaces it when it dies or falls silent.
 *
 * INVARIANTS
 * - One loop alone starts hosts and connects to them; everything else waits for its connection.
 * - The host on air has the last plan that ran, or the first one given while none has run yet.
 */
import type { ChildProcess } from 'node:child_process';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { connectToHost, type HostConnection, type RequestBody, type RequestOutcome } from '#device/media/host-connection.ts';
import { hostFiles } from '#device/media/host-files.ts';
import { findHost, isAlive, killHard, spawnHost } from '#device/media/host-process.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { Listeners } from '#device/media/listeners.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';

export type ApplyOutcome =
  | { readonly kind: 'applied' /** Instead of "frames are coming". */; readonly detail?: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type PictureOutcome =
  | { readonly kind: 'picture' /** A keyframe with its header. */; readonly flv: Buffer }
  | { readonly kind: 'failed'; readonly reason: string };

export type MediaEvent = { readonly event: string; readonly detail: string };

export type SupervisorLog = {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
};

export type MediaHostSupervisorOptions = {
  /** An existing directory of mode 0700: `media-host.sock` and `media-host.pid` live there. */
  readonly stateDirectory: string;
  /**
   * Where to start the next host, then where else one may be. The default is the state directory alone; a disk that cannot
   * be written any more has no place for a socket.
   */
  readonly directories?: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: SupervisorLog;
  /** For tests; the default spawns `device/media-host/main.ts` with this process's own Node. */
  readonly spawnHost?: (directory: string, stateDirectory: string) => ChildProcess;
  readonly random?: () => number;
};

const welcomeBoundMs = 3_000;
/** A cold start on a slow card reads GStreamer's registry and compiles our code. */
const spawnBoundMs = 20_000;
const connectIntervalMs = 15;
/** A new capture has 10 s, and going back to the former one as long. */
const applyBoundMs = 25_000;
/** The host waits for a keyframe for at most 12 s. */
const pictureBoundMs = 15_000;
const connectedBoundMs = 10_000;
const shutdownBoundMs = 1_500;
const exitBoundMs = 1_500;
/**
 * A host says a word twice a second. Checks are counted, not time: a machine that slept must not find its host guilty. While a
 * capture is being started, drivers may hold up the host's loop for longer than a stream that runs may stand still.
 */
const silenceCheckMs = 250;
const silentChecks = { running: 8, starting: 20 } as const;
/** The death of a host that ran is mended at once; one that dies as soon as it starts is given time. */
const provenAfterMs = 1_500;
/**
 * The binding never frees a pipeline: each other capture costs the host about a megabyte and two descriptors (measured over a
 * thousand settings changes). The stream is interrupted by another capture anyway: then the host is replaced as well.
 */
export const capturesOfWornHost = 20;
const restartPolicy: BackOffPolicy = { firstMs: 250, factor: 1.5, capMs: 10_000, jitter: 0.3 };
/** One that gave frames serves viewers, however often it dies: it never waits long. */
const giverPolicy: BackOffPolicy = { ...restartPolicy, capMs: 500 };

export class MediaHostSupervisor {
  readonly #options: MediaHostSupervisorOptions;
  readonly #statusListeners = new Listeners<MediaStatus | null>();
  readonly #previewListeners = new Listeners<Buffer>();
  readonly #eventListeners = new Listeners<MediaEvent>();
  #loop: Promise<void> | null = null;
  #isStopping = false;
  #connection: HostConnection | null = null;
  #child: ChildProcess | null = null;
  #status: MediaStatus | null = null;
  #plan: PipelinePlan | null = null;
  /** The plan given to a new host on its welcome, and what became of it. */
  #restored: Promise<ApplyOutcome> = Promise.resolve({ kind: 'applied' });
  /** What the host sent for a snapshot, until it says that this was all. */
  #picture: Buffer | null = null;
  /** The host is being replaced because somebody asked for it. */
  #isReplacing = false;
  /** Captures that the present host was asked for, and the description of the last. */
  #captures = { count: 0, last: '' };
  #deaths = 0;
  #wakeWaiters = new Set<() => void>();

  constructor(options: MediaHostSupervisorOptions) {
    this.#options = options;
  }

  /** Adopts a living host of the state directory, or spawns one. Resolves when a host has said its welcome, or on `stop`. */
  async start(): Promise<void> {
    this.#loop ??= this.#keepHost();
    while (this.#connection === null && !this.#isStopping) await this.#waitForChange(connectedBoundMs);
  }

  /**
   * Makes the plan run; only what differs is restarted. Resolves when the new capture gives frames, or with why not (the
   * host is back on the former plan then). Never rejects; a later call supersedes one that still waits.
   *
   * A host that dies meanwhile may have died of something else: the next one is asked once more. A plan that kills its host
   * fails at the second death.
   */
  async apply(plan: PipelinePlan): Promise<ApplyOutcome> {
    await this.#replaceWornHost(plan.capture.description);
    const first = await this.#request({ kind: 'apply', plan });
    const outcome = toOutcome(first.kind === 'lost' ? await this.#request({ kind: 'apply', plan }) : first);
    if (outcome.kind === 'applied' || this.#plan === null) this.#plan = plan;
    return outcome;
  }

  /** A new capture from the same plan; outputs stay connected. */
  async restartCapture(): Promise<ApplyOutcome> {
    return toOutcome(await this.#request({ kind: 'restart-capture' }));
  }

  /** A new host process with the same plan. Resolves when its capture gives frames, or with why not. */
  async restartHost(): Promise<ApplyOutcome> {
    const former = this.#connection;
    if (former !== null) {
      this.#isReplacing = true;
      await this.#shutDown(former);
    }
    // That the former one has closed may not have been heard yet.
    const next = await this.#whenConnected(former);
    return next === null ? notRunning : this.#restored;
  }

  /** The next whole picture on air, as an FLV file of one keyframe. */
  async picture(): Promise<PictureOutcome> {
    const outcome = toOutcome(await this.#request({ kind: 'picture' }, pictureBoundMs));
    const flv = this.#picture;
    this.#picture = null;
    if (outcome.kind === 'failed') return outcome;
    return flv === null ? { kind: 'failed', reason: 'the media host sent no picture' } : { kind: 'picture', flv };
  }

  async #replaceWornHost(description: string): Promise<void> {
    const { count, last } = this.#captures;
    if (description === last) return;
    this.#captures = { count: count + 1, last: description };
    if (count < capturesOfWornHost || this.#connection === null) return;
    this.#options.log.info(`the media host has made ${count} captures, none of which is freed: it is replaced with the next one`);
    await this.restartHost();
    this.#captures = { count: 1, last: description };
  }

  /** The last status heard; null while no host is connected. */
  status(): MediaStatus | null {
    return this.#status;
  }

  /** The plan that is kept on air; null before the first. */
  runningPlan(): PipelinePlan | null {
    return this.#plan;
  }

  /** Process id of the connected host. */
  processId(): number | null {
    return this.#connection?.welcome.processId ?? null;
  }

  gstreamerVersion(): string | null {
    return this.#connection?.welcome.gstreamerVersion ?? null;
  }

  /** Called with each status (each second and on change) and with null when the host is lost. Returns the unsubscriber. */
  onStatus(listener: (status: MediaStatus | null) => void): () => void {
    return this.#statusListeners.add(listener);
  }

  onPreview(listener: (jpeg: Buffer) => void): () => void {
    return this.#previewListeners.add(listener);
  }

  /** Happenings for the device's history: those of the host and the supervisor's own (host lost, host back). */
  onEvent(listener: (event: MediaEvent) => void): () => void {
    return this.#eventListeners.add(listener);
  }

  /** Shuts the host down (asks, waits a bounded time, kills) and resolves when it is gone. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    if (this.#connection !== null) await this.#shutDown(this.#connection);
    // A host that is only just starting has no connection yet.
    this.#child?.kill('SIGKILL');
    await this.#loop;
  }

  async #keepHost(): Promise<void> {
    let isFirst = true;
    while (!this.#isStopping) {
      const connection = await this.#reachHost();
      if (connection === null || this.#isStopping) {
        if (connection !== null) await this.#shutDown(connection);
        await this.#pauseAfterDeath(restartPolicy);
        continue;
      }
      const startedMs = this.#options.clock.monotonicMs();
      this.#adopt(connection);
      if (!isFirst) this.#tell('media-host-recovered', `process ${connection.welcome.processId}`);
      isFirst = false;
      const stopWatching = this.#watchSilence(connection);
      await connection.closed;
      stopWatching();
      const hasGivenFrames = (this.#status?.framesTotal ?? 0) > 0;
      this.#lose();
      if (this.#options.clock.monotonicMs() - startedMs > provenAfterMs || this.#isReplacing) this.#deaths = 0;
      if (!this.#isStopping && !this.#isReplacing) this.#tell('media-host-lost', `after ${this.#secondsSince(startedMs)} s`);
      this.#isReplacing = false;
      if (this.#deaths > 0) await this.#pauseAfterDeath(hasGivenFrames ? giverPolicy : restartPolicy);
      else this.#deaths = 1;
    }
  }

  async #pauseAfterDeath(policy: BackOffPolicy): Promise<void> {
    if (this.#isStopping) return;
    this.#deaths += 1;
    const { random = Math.random } = this.#options;
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + backOffDelay(policy, Math.max(1, this.#deaths - 1), random());
    for (let leftMs = 1; leftMs > 0 && !this.#isStopping; leftMs = untilMs - clock.monotonicMs()) {
      await this.#waitForChange(Math.max(1, untilMs - clock.monotonicMs()));
    }
  }

  /** The living host of the state directory, or a new one. Null when neither can be had. */
  async #reachHost(): Promise<HostConnection | null> {
    const { stateDirectory, clock } = this.#options;
    const directories = (await this.#options.directories?.()) ?? [stateDirectory];
    for (const directory of directories) {
      const found = await connectToHost(hostFiles(directory).socket, clock, welcomeBoundMs);
      if (found.kind === 'connected') return found.connection;
      // It hangs, or it has lost its socket: its camera is needed.
      const left = await findHost(directory);
      if (left !== null) await this.#end(left);
    }
    return this.#isStopping ? null : this.#spawn(directories[0] ?? stateDirectory);
  }

  async #spawn(directory: string): Promise<HostConnection | null> {
    const { stateDirectory, clock, log } = this.#options;
    let child: ChildProcess;
    try {
      child = (this.#options.spawnHost ?? spawnHost)(directory, stateDirectory);
    } catch (cause) {
      // Out of memory, for example: most other reasons come as an event.
      log.warn(`the media host did not start: ${cause instanceof Error ? cause.message : String(cause)}`);
      return null;
    }
    this.#child = child;
    let death: string | null = null;
    const exited = new Promise<void>((resolve) => {
      child.once('error', (cause) => {
        death = cause.message;
        resolve();
      });
      child.once('exit', (code, signal) => {
        death = signal ?? `exit code ${code}`;
        if (this.#child === child) this.#child = null;
        this.#wake();
        resolve();
      });
    });
    const deadlineMs = clock.monotonicMs() + spawnBoundMs;
    while (death === null && !this.#isStopping && clock.monotonicMs() < deadlineMs) {
      const found = await connectToHost(hostFiles(directory).socket, clock, welcomeBoundMs);
      if (found.kind === 'connected') return found.connection;
      await this.#pause(connectIntervalMs);
    }
    log.warn(`the media host did not start: ${death ?? `no welcome within ${spawnBoundMs / 1000} s`}`);
    child.kill('SIGKILL');
    await exited;
    return null;
  }

  #adopt(connection: HostConnection): void {
    const { welcome } = connection;
    this.#options.log.info(`media host: process ${welcome.processId}, GStreamer ${welcome.gstreamerVersion}`);
    connection.onMessage = (message) => {
      switch (message.kind) {
        case 'status':
          this.#setStatus(message.status);
          return;
        case 'preview':
          this.#previewListeners.tell(Buffer.from(message.jpegBase64, 'base64'));
          return;
        case 'picture':
          this.#picture = Buffer.from(message.flvBase64, 'base64');
          return;
        case 'event':
          this.#tell(message.event, message.detail);
          return;
        case 'alive':
          return;
        default:
          message satisfies never;
      }
    };
    this.#connection = connection;
    this.#captures = { ...this.#captures, count: 0 };
    this.#restored = this.#restorePlan(connection);
    this.#setStatus(welcome.status);
    this.#wake();
  }

  async #restorePlan(connection: HostConnection): Promise<ApplyOutcome> {
    const plan = this.#plan;
    if (plan === null || JSON.stringify(plan) === JSON.stringify(connection.welcome.plan)) return applied;
    const outcome = toOutcome(await connection.request({ kind: 'apply', plan }, applyBoundMs));
    if (outcome.kind === 'failed') this.#options.log.warn(`the last plan does not run in the new media host: ${outcome.reason}`);
    return outcome;
  }

  #lose(): void {
    this.#connection = null;
    this.#setStatus(null);
    this.#wake();
  }

  #watchSilence(connection: HostConnection): () => void {
    let heard = connection.linesHeard;
    let checks = 0;
    let cancel: () => void = () => undefined;
    const check = () => {
      checks = connection.linesHeard === heard ? checks + 1 : 0;
      heard = connection.linesHeard;
      const isRunning = this.#status?.media.kind === 'running' && !connection.isAwaited;
      if (checks < silentChecks[isRunning ? 'running' : 'starting']) {
        cancel = this.#options.clock.schedule(check, silenceCheckMs);
        return;
      }
      this.#options.log.warn('the media host is silent and is replaced');
      killHard(connection.welcome.processId);
      connection.destroy();
    };
    cancel = this.#options.clock.schedule(check, silenceCheckMs);
    return () => cancel();
  }

  async #request(body: RequestBody, boundMs = applyBoundMs): Promise<RequestOutcome> {
    const connection = await this.#whenConnected();
    if (connection === null) return { kind: 'problem', problem: notRunning.reason };
    return connection.request(body, boundMs);
  }

  async #whenConnected(otherThan: HostConnection | null = null): Promise<HostConnection | null> {
    const deadlineMs = this.#options.clock.monotonicMs() + connectedBoundMs;
    for (;;) {
      if (this.#isStopping) return null;
      if (this.#connection !== null && this.#connection !== otherThan) return this.#connection;
      const leftMs = deadlineMs - this.#options.clock.monotonicMs();
      if (leftMs <= 0) return null;
      await this.#waitForChange(leftMs);
    }
  }

  async #shutDown(connection: HostConnection): Promise<void> {
    await connection.request({ kind: 'shutdown' }, shutdownBoundMs);
    await this.#end(connection.welcome.processId, exitBoundMs);
    connection.destroy();
  }

  /** Resolves when the process is gone; it gets the given time to go by itself. */
  async #end(processId: number, graceMs = 0): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + graceMs;
    while (isAlive(processId) && clock.monotonicMs() < deadlineMs) await this.#pause(connectIntervalMs);
    killHard(processId);
    const killedMs = clock.monotonicMs() + exitBoundMs;
    while (isAlive(processId) && clock.monotonicMs() < killedMs) await this.#pause(connectIntervalMs);
  }

  #setStatus(status: MediaStatus | null): void {
    this.#status = status;
    this.#statusListeners.tell(status);
  }

  #tell(event: string, detail: string): void {
    this.#eventListeners.tell({ event, detail });
  }

  #secondsSince(startedMs: number): number {
    return Math.round((this.#options.clock.monotonicMs() - startedMs) / 1000);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.schedule(resolve, delayMs);
    });
  }

  /** Until the connection comes or goes, the host ends or everything stops; at most the given time. */
  #waitForChange(boundMs: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        cancel();
        this.#wakeWaiters.delete(settle);
        resolve();
      };
      const cancel = this.#options.clock.schedule(settle, boundMs);
      this.#wakeWaiters.add(settle);
    });
  }

  #wake(): void {
    for (const settle of [...this.#wakeWaiters]) settle();
  }
}

const applied: ApplyOutcome = { kind: 'applied' };
const notRunning = { kind: 'failed', reason: 'the media host does not run' } as const satisfies ApplyOutcome;

function toOutcome(outcome: RequestOutcome): ApplyOutcome {
  switch (outcome.kind) {
    case 'done':
      return applied;
    case 'problem':
      return { kind: 'failed', reason: outcome.problem };
    case 'lost':
      return { kind: 'failed', reason: 'the media host died while it made the change' };
    case 'late':
      return { kind: 'failed', reason: `the media host gave no answer within ${applyBoundMs / 1000} s` };
    default:
      return outcome satisfies never;
  }
}
