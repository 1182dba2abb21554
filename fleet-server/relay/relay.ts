/** The relay as the fleet server sees it: nginx under supervision, its questions answered, its statistics read twice a second. */
import { tmpdir } from 'node:os';
import { type Clock, momentOf, systemClock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import { Audience } from '#fleet-server/relay/audience.ts';
import { type Question, RelayCallbacks } from '#fleet-server/relay/callbacks.ts';
import type { Relay, RelayHooks, RelayPlace, RelayState } from '#fleet-server/relay/contract.ts';
import { nginxConfig, relayApplication } from '#fleet-server/relay/nginx-config.ts';
import { NginxControl } from '#fleet-server/relay/nginx-control.ts';
import { findNginx, findWorkerUser } from '#fleet-server/relay/nginx-installation.ts';
import { NginxProcess } from '#fleet-server/relay/nginx-process.ts';
import { NginxSupervisor } from '#fleet-server/relay/nginx-supervisor.ts';
import { playbackAddresses } from '#fleet-server/relay/playback.ts';
import { followReception, noReception, type ReceptionState } from '#fleet-server/relay/reception.ts';
import { makeRuntimeDirectory, type RuntimePaths, removeRuntimeDirectory, runtimePaths } from '#fleet-server/relay/runtime-directory.ts';
import { parseStatistics, type RelayStream } from '#fleet-server/relay/statistics.ts';
import { isTicketValid, makeTicket, ticketLifetimeMs } from '#fleet-server/relay/ticket.ts';
import type { Playback, RelayReception } from '#protocol/model/device.ts';

const pollIntervalMs = 500;
/** Of this server's time, what reading statistics may take: those of two thousand streams are long. */
const parsingShare = 0.1;
/** Readings that may fail one after the other before nginx counts as hung. */
const maxFailedPolls = 5;
const refusalLogIntervalMs = 60_000;

type Reading = { readonly streams: readonly RelayStream[]; readonly parsedInMs: number };

export type RelayServiceOptions = RelayHooks & {
  readonly dataDirectory: string;
  readonly rtmpPort: number;
  /** As players see it; the same unless told. */
  readonly publicRtmpPort?: number;
  readonly publicUrl?: string;
  readonly log: Log;
  readonly clock?: Clock;
};

export class RelayService implements Relay {
  readonly application = relayApplication;
  readonly port: number;
  readonly paths: RuntimePaths;
  readonly #options: RelayServiceOptions;
  readonly #clock: Clock;
  readonly #control: NginxControl;
  readonly #audience = new Audience();
  #callbacks: RelayCallbacks | undefined;
  #supervisor: NginxSupervisor | undefined;
  #following: ReceptionState = noReception;
  #received: ReadonlyMap<string, RelayReception> = new Map();
  #cancelPoll = () => {};
  #isStopped = false;
  #failedPolls = 0;
  #refusals = { count: 0, loggedAtMs: Number.NEGATIVE_INFINITY };

  constructor(options: RelayServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.port = options.rtmpPort;
    const isRoot = process.getuid?.() === 0;
    this.paths = runtimePaths({ dataDirectory: options.dataDirectory, isRoot, systemTemporaryDirectory: tmpdir() });
    this.#control = new NginxControl(this.paths.controlSocket);
  }

  /** Rejects with a RelayError that says what to do. */
  async start(): Promise<void> {
    const { paths } = this;
    const { program, modulePath } = await findNginx(process.env['PATH'] ?? '');
    const workerUser = process.getuid?.() === 0 ? await findWorkerUser() : null;
    await makeRuntimeDirectory(paths, workerUser);
    // The same after a restart, so that an nginx that goes on can still call back.
    const callbackSecret = this.#options.hmac('relay-callback', this.#options.dataDirectory).toString('hex').slice(0, 32);
    const { callbackSocket: socketPath } = paths;
    this.#callbacks = new RelayCallbacks({ socketPath, secret: callbackSecret, workerUser, answer: (question) => this.#answer(question) });
    await this.#callbacks.start();
    const config = nginxConfig({ ...paths, modulePath, workerUser: workerUser?.name ?? null, rtmpPort: this.port, callbackSecret });
    const onLine = (line: string) => this.#options.log.warn({}, `nginx: ${redact(line)}`);
    const nginx = new NginxProcess({ program, config, rtmpPort: this.port, paths, control: this.#control, clock: this.#clock, onLine });
    this.#supervisor = new NginxSupervisor({
      nginx,
      clock: this.#clock,
      log: this.#options.log,
      random: Math.random,
      onStateChange: (state) => this.#options.onStateChange?.(state),
    });
    try {
      await this.#supervisor.start();
    } catch (cause) {
      await this.#callbacks.stop();
      // Whatever was there of an earlier nginx has been ended by now.
      await removeRuntimeDirectory(paths);
      throw cause;
    }
    await this.#poll();
  }

  /** Ends nginx and leaves nothing behind; in bounded time, and may be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPoll();
    const wasStarted = this.#supervisor !== undefined && this.#supervisor.state().kind !== 'stopped';
    await this.#supervisor?.stop();
    await this.#callbacks?.stop();
    if (wasStarted) await removeRuntimeDirectory(this.paths);
  }

  state(): RelayState {
    const stopped: RelayState = { kind: 'stopped', processId: null, adopted: false, restarts: 0, sinceMs: 0, detail: 'not started' };
    return this.#supervisor?.state() ?? stopped;
  }

  playback(deviceId: string, requestHost: string, protocol: 'http' | 'https' = 'http', elsewhere: RelayPlace | null = null): Playback {
    const expiresAtMs = this.#clock.nowMs() + ticketLifetimeMs;
    const ticket = makeTicket(this.#options.hmac, deviceId, expiresAtMs);
    const { publicUrl } = this.#options;
    const rtmp =
      elsewhere === null
        ? { port: this.#options.publicRtmpPort ?? this.port }
        : { port: elsewhere.rtmpPort, host: new URL(elsewhere.url).hostname };
    return playbackAddresses({ deviceId, ticket, expiresAtMs, rtmp, publicUrl, requestHost, protocol });
  }

  makeTicket(deviceId: string): string {
    return makeTicket(this.#options.hmac, deviceId, this.#clock.nowMs() + ticketLifetimeMs);
  }

  isTicketValid(deviceId: string, ticket: string): boolean {
    return isTicketValid(this.#options.hmac, deviceId, ticket, this.#clock.nowMs());
  }

  isReceived(deviceId: string): boolean {
    return this.#received.has(deviceId);
  }

  noteViewer(deviceId: string, viewer: string): void {
    this.#audience.seen(deviceId, viewer, this.#clock.monotonicMs());
  }

  async dropPublisher(deviceId: string): Promise<void> {
    if (this.state().kind === 'running') await this.#control.dropPublisher(deviceId);
  }

  async #answer(question: Question): Promise<boolean> {
    const { deviceId } = question;
    switch (question.kind) {
      case 'publish': {
        if (!this.#options.isKnown(deviceId) || !this.#options.isStreamKeyRight(deviceId, question.key)) return this.#refuse(question);
        // A device that vanished leaves its old connection behind as publisher, for up to a minute: the new one would be refused.
        await this.#control.dropPublisher(deviceId);
        this.#options.log.info({ deviceId, address: question.address }, 'relay: a device publishes');
        return true;
      }
      case 'play':
        return this.#options.isKnown(deviceId) && this.isTicketValid(deviceId, question.ticket) ? true : this.#refuse(question);
      case 'publish-done':
        this.#options.log.info({ deviceId }, 'relay: a device publishes no more');
        return true;
      default:
        return question satisfies never;
    }
  }

  /** A device with an old key tries for ever, so refusals are counted and summed up. */
  #refuse({ kind, deviceId }: Question): false {
    this.#refusals.count += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#refusals.loggedAtMs >= refusalLogIntervalMs) {
      this.#options.log.warn({ deviceId, count: this.#refusals.count }, `relay: refused to let ${kind}: wrong key or ticket`);
      this.#refusals = { count: 0, loggedAtMs: nowMs };
    }
    return false;
  }

  async #poll(): Promise<void> {
    const reading = await this.#read();
    try {
      this.#setReceptions(reading?.streams ?? null);
    } catch (err) {
      this.#options.log.error({ err }, 'relay: what it receives could not be dealt with');
    }
    if (this.#isStopped) return;
    this.#cancelPoll = this.#clock.after(Math.max(pollIntervalMs, (reading?.parsedInMs ?? 0) / parsingShare), () => void this.#poll());
  }

  /** Null when nginx gave no answer, or none that can be read: then nobody knows what it receives. */
  async #read(): Promise<Reading | null> {
    try {
      const statistics = await this.#control.statistics();
      const startedAtMs = this.#clock.monotonicMs();
      const streams = parseStatistics(statistics);
      this.#failedPolls = 0;
      return { streams, parsedInMs: this.#clock.monotonicMs() - startedAtMs };
    } catch (cause) {
      this.#failedPolls += 1;
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (this.#failedPolls === maxFailedPolls) await this.#supervisor?.replace(`${maxFailedPolls} readings failed: ${reason}`);
      if (this.#failedPolls >= maxFailedPolls) this.#failedPolls = 0;
      return null;
    }
  }

  /** Without a reading nothing counts as received; what was followed so far goes on from there once nginx answers again. */
  #setReceptions(streams: readonly RelayStream[] | null): void {
    const moment = momentOf(this.#clock);
    const before = this.#received;
    const step = streams === null ? null : followReception(this.#following, streams, moment);
    if (step !== null) this.#following = step.state;
    const received: ReadonlyMap<string, RelayReception> = step?.receptions ?? new Map();
    const viewers = this.#audience.count(moment.monotonicMs);
    this.#received = received;
    for (const deviceId of before.keys()) if (!received.has(deviceId)) this.#options.setReception(deviceId, null);
    for (const [deviceId, reception] of received) {
      this.#options.setReception(deviceId, { ...reception, viewers: reception.viewers + (viewers.get(deviceId) ?? 0) });
    }
  }
}

/** nginx quotes what a client sent: keys and tickets are taken out, and the line is cut. */
export function redact(line: string): string {
  return line.replace(/\b(key|ticket|args)=[^\s&"',]*/g, '$1=…').slice(0, 500);
}
