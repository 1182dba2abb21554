/** One RTMP target: connects, feeds, notices a dead or stalled connection, and tries again for as long as it is wanted. */
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { ReachabilityProbe } from '#device/media-host/reachability-probe.ts';
import type { RtmpConnection, RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { isAway, isRefusal, noAnswerWords, stalledWords } from '#device/media-host/rtmp-error.ts';
import { type RtmpEffect, type RtmpEvent, type RtmpState, reconnectPolicy, transition } from '#device/media-host/rtmp-state.ts';
import { type AgeBounds, TagQueue } from '#device/media-host/tag-queue.ts';
import { UplinkMeter, type UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import type { OutputState, OutputStatus } from '#protocol/media.ts';

/**
 * Viewers are never further behind than five seconds: what is handed to the connection takes one of them. The bytes are for
 * bitrates at which even that is much.
 */
const queueAges: AgeBounds = { dropMs: 2_000, cutMs: 3_500 };
const maximumQueuedBytes = 8 * 1024 * 1024;
const lookIntervalMs = 200;
const stallBoundMs = 5_000;
/** rtmp2sink itself gives up after 5 s without a word from the server; this is for what it does not see. */
const connectBoundMs = 8_000;
/** A connection that has not come about after so long may still wait for an answer to a packet that went nowhere. */
const freshAttemptMs = 1_500;
/** Many devices that had lost the same network must not come back in the same moment. */
const networkSpreadMs = 500;

export type RtmpOutputOptions = OutputSurroundings & {
  readonly plan: RtmpOutputPlan;
  readonly pool: RtmpConnectionPool;
};

export class RtmpOutput implements Output {
  readonly plan: RtmpOutputPlan;
  readonly #options: RtmpOutputOptions;
  readonly #queue = new TagQueue(maximumQueuedBytes, queueAges);
  readonly #meter = new UplinkMeter();
  readonly #probe: ReachabilityProbe;
  #state: RtmpState = { kind: 'stopped' };
  #connection: RtmpConnection | null = null;
  /** The connection is to be opened as soon as the bus has something to send. */
  #isOpenDue = false;
  #openedAtMs = 0;
  #connections = 0;
  #bytesOfFormerConnections = 0;
  #arrived = { bytes: 0, atMs: 0 };
  #lookedAtMs = 0;
  #reading: UplinkReading | null = null;
  #isSecondTry = false;
  #cancelRetry: () => void = () => undefined;

  constructor(options: RtmpOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
    const { clock, random } = options;
    this.#probe = new ReachabilityProbe({ clock, random, onReachable: () => this.#onReachable() });
  }

  start(): void {
    this.#on({ kind: 'start' });
  }

  stop(): void {
    this.#cancelRetry();
    this.#on({ kind: 'stop' });
    if (this.#connection !== null) this.#options.pool.release(this.#connection);
    this.#connection = null;
  }

  advance(): void {
    switch (this.#state.kind) {
      case 'connecting':
        this.#advanceConnecting();
        return;
      case 'streaming':
        this.#feed();
        return;
      case 'waiting':
      case 'stopped':
        return;
      default:
        this.#state satisfies never;
    }
  }

  onNetworkReturn(): void {
    if (this.#state.kind !== 'waiting' || isRefusal(this.#state.lastError)) return;
    this.#cancelRetry();
    this.#cancelRetry = this.#options.clock.schedule(() => this.#on({ kind: 'retry-due' }), networkSpreadMs * this.#options.random());
  }

  uplink(): UplinkReading | null {
    return this.#state.kind === 'streaming' ? this.#reading : null;
  }

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    const isStreaming = this.#state.kind === 'streaming';
    return {
      id,
      kind,
      target,
      state: this.#outputState(),
      connections: this.#connections,
      bytesSent: this.#bytesOfFormerConnections + (isStreaming ? (this.#connection?.arrivedBytes() ?? 0) : 0),
      droppedGroups: this.#queue.droppedGroups,
      queuedBytes: this.#queue.queuedBytes + (isStreaming ? (this.#connection?.waitingBytes() ?? 0) : 0),
      ...(isStreaming ? { lagMs: this.#lagMs() } : {}),
    };
  }

  #advanceConnecting(): void {
    if (this.#isOpenDue) {
      if (this.#options.bus.isReady) this.#open();
      return;
    }
    if (this.#connection?.isConnected()) this.#on({ kind: 'connected' });
    else if (this.#now() - this.#openedAtMs > connectBoundMs) this.#on({ kind: 'failed', reason: noAnswerWords });
  }

  #open(): void {
    this.#isOpenDue = false;
    this.#openedAtMs = this.#now();
    if (this.#state.kind === 'connecting' && isAway(this.#state.lastError ?? '')) this.#startProbe();
    this.#connection ??= this.#options.pool.acquire();
    this.#connection.open(this.plan.location, this.#options.bus.headers(), (reason) => this.#on({ kind: 'failed', reason }));
  }

  #feed(): void {
    const connection = this.#connection;
    if (connection === null) return;
    while (this.#state.kind === 'streaming' && connection.hasRoom()) {
      const tag = this.#queue.take();
      if (tag === null) break;
      connection.push(tag);
    }
    this.#look(connection);
  }

  #look(connection: RtmpConnection): void {
    const nowMs = this.#now();
    if (nowMs - this.#lookedAtMs < lookIntervalMs) return;
    this.#lookedAtMs = nowMs;
    connection.look(nowMs);
    const arrivedBytes = connection.arrivedBytes();
    this.#reading = this.#meter.add({ atMs: nowMs, arrivedBytes, lagMs: this.#lagMs() });
    const isAllThere = this.#queue.queuedBytes === 0 && connection.waitingBytes() === 0;
    if (isAllThere || arrivedBytes !== this.#arrived.bytes) this.#arrived = { bytes: arrivedBytes, atMs: nowMs };
    else if (nowMs - this.#arrived.atMs > stallBoundMs) this.#on({ kind: 'failed', reason: stalledWords });
  }

  /** By how much the far side is behind the newest tag. */
  #lagMs(): number {
    const oldestMs = this.#connection?.oldestWaitingMs() ?? this.#queue.nextMs;
    return oldestMs === null ? 0 : Math.max(0, this.#queue.newestMs - oldestMs);
  }

  #onReachable(): void {
    const { kind } = this.#state;
    if (kind === 'waiting') this.#on({ kind: 'retry-due' });
    // Once an attempt: a server that takes connections and then does nothing is not to be pestered.
    if (kind !== 'connecting' || this.#isOpenDue || this.#isSecondTry || this.#now() - this.#openedAtMs < freshAttemptMs) return;
    this.#isSecondTry = true;
    this.#open();
  }

  #startProbe(): void {
    if (!URL.canParse(this.plan.location)) return;
    const { hostname, port, protocol } = new URL(this.plan.location);
    const usualPort = protocol === 'rtmps:' ? 443 : 1935;
    this.#probe.start({ host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usualPort : Number(port) });
  }

  #on(event: RtmpEvent): void {
    const former = this.#state;
    const { clock, random } = this.#options;
    const { state, effects } = transition(former, event, { nowMs: clock.monotonicMs(), random: random(), policy: reconnectPolicy });
    if (former.kind === 'streaming' && state.kind !== 'streaming') {
      this.#bytesOfFormerConnections += this.#connection?.arrivedBytes() ?? 0;
      this.#options.bus.leave(this.#queue);
      this.#queue.clear();
    }
    this.#state = state;
    if (state.kind === 'waiting' && isAway(state.lastError)) this.#startProbe();
    else if (state.kind !== 'connecting') this.#probe.stop();
    for (const effect of effects) this.#perform(effect);
    if (former.kind !== 'streaming' && state.kind === 'streaming') {
      this.#connections += 1;
      this.#arrived = { bytes: 0, atMs: this.#now() };
      this.#meter.clear();
      this.#reading = null;
      this.#options.bus.join(this.#queue);
      this.#feed();
    }
    if (state !== former) this.#options.onState();
  }

  #perform(effect: RtmpEffect): void {
    switch (effect.kind) {
      case 'open':
        this.#cancelRetry();
        this.#isSecondTry = false;
        this.#isOpenDue = true;
        this.#advanceConnecting();
        return;
      case 'close':
        this.#isOpenDue = false;
        this.#connection?.close();
        return;
      case 'wait':
        this.#cancelRetry = this.#options.clock.schedule(() => this.#on({ kind: 'retry-due' }), effect.delayMs);
        return;
      case 'say':
        this.#options.onEvent(effect.event, [this.plan.target, effect.detail].filter((part) => part !== '').join(': '));
        return;
      default:
        effect satisfies never;
    }
  }

  #outputState(): OutputState {
    const state = this.#state;
    const wallClock = (monotonicMs: number) => new Date(this.#options.clock.nowMs() + monotonicMs - this.#now()).toISOString();
    switch (state.kind) {
      case 'stopped':
        return { kind: 'stopped' };
      case 'connecting':
        return { kind: 'connecting', attempt: state.attempt };
      case 'streaming':
        return { kind: 'streaming', since: wallClock(state.sinceMs) };
      case 'waiting':
        return { kind: 'waiting', attempt: state.attempt, nextTryAt: wallClock(state.untilMs), lastError: state.lastError };
      default:
        return state satisfies never;
    }
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
