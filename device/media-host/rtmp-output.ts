/** One RTMP target: connects, feeds, notices a dead or stalled connection, and tries again for as long as it is wanted. */
import { ConnectionLife, probeTargetOf } from '#device/media-host/connection-life.ts';
import { shortestLookMs } from '#device/media-host/look-pace.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import type { ProbeTarget } from '#device/media-host/reachability-probe.ts';
import type { RtmpConnection, RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { namelessErrorWords, noAnswerWords, stalledWords } from '#device/media-host/rtmp-error.ts';
import { type AgeBounds, TagQueue } from '#device/media-host/tag-queue.ts';
import { UplinkMeter, type UplinkReading } from '#device/media-host/uplink-meter.ts';
import { isNameless, keySettingOf } from '#device/plan/output.ts';
import type { RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import type { OutputStatus } from '#protocol/media.ts';

/**
 * Viewers are never further behind than five seconds: what is handed to the connection takes one of them. The bytes are for
 * bitrates at which even that is much.
 */
const queueAges: AgeBounds = { dropMs: 2_000, cutMs: 3_500 };
const maximumQueuedBytes = 8 * 1024 * 1024;
const stallBoundMs = 5_000;
/** rtmp2sink itself gives up after 5 s without a word from the server; this is for what it does not see. */
const connectBoundMs = 8_000;

export type RtmpOutputOptions = OutputSurroundings & {
  readonly plan: RtmpOutputPlan;
  readonly pool: RtmpConnectionPool;
};

export class RtmpOutput implements Output {
  readonly plan: RtmpOutputPlan;
  readonly #options: RtmpOutputOptions;
  readonly #life: ConnectionLife;
  readonly #probeTarget: ProbeTarget | null;
  readonly #queue = new TagQueue(maximumQueuedBytes, queueAges);
  readonly #meter = new UplinkMeter();
  #connection: RtmpConnection | null = null;
  #bytesOfFormerConnections = 0;
  #arrived = { bytes: 0, atMs: 0 };
  #lookedAtMs = 0;
  #reading: UplinkReading | null = null;
  /** What had not arrived when the connection was last looked at; null before the first look. What was handed over since is mostly there already. */
  #underWay: { readonly bytes: number; readonly lagMs: number } | null = null;
  #begunAtMs = 0;
  /** A long group that lay there before the connection says nothing of its way. */
  #isCatchingUp = false;

  constructor(options: RtmpOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
    const { clock, random, onEvent, onState, plan } = options;
    this.#probeTarget = probeTargetOf(plan.location, { 'rtmp:': 1935, 'rtmps:': 443 });
    this.#life = new ConnectionLife({
      ...{ clock, random, onEvent, onState },
      target: plan.target,
      probeTarget: this.#probeTarget,
      open: () => this.#open(),
      close: () => this.#connection?.close(),
      onStreaming: () => this.#begin(),
      onLost: () => this.#end(),
    });
  }

  start(): void {
    this.#life.start();
  }

  stop(): void {
    this.#life.stop();
    if (this.#connection !== null) this.#options.pool.release(this.#connection);
    this.#connection = null;
  }

  advance(): void {
    if (this.#life.kind === 'connecting') this.#advanceConnecting();
    if (this.#life.kind === 'streaming') this.#feed();
  }

  onNetworkReturn(): void {
    this.#life.onNetworkReturn();
  }

  uplink(): UplinkReading | 'unread' | null {
    if (this.#life.kind !== 'streaming') return null;
    return this.#isCatchingUp ? 'unread' : (this.#reading ?? 'unread');
  }

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    const connection = this.#life.kind === 'streaming' ? this.#connection : null;
    const { bytes, lagMs } = this.#underWay ?? this.#underWayNow();
    return {
      id,
      kind,
      target,
      state: this.#life.outputState(),
      connections: this.#life.connections,
      bytesSent: this.#bytesOfFormerConnections + (connection?.arrivedBytes() ?? 0),
      droppedGroups: this.#queue.droppedGroups,
      queuedBytes: this.#queue.queuedBytes + (connection === null ? 0 : bytes),
      ...(connection === null ? {} : { lagMs }),
    };
  }

  /** As soon as the bus has something to send, and the way is free. */
  #open(): void {
    const { bus } = this.#options;
    bus.announceJoin();
    if (!bus.isReady) return;
    this.#connection ??= this.#options.pool.acquire();
    // An attempt that hangs is ended first: whether it leaves a socket behind decides when the next one may begin.
    this.#connection.close();
    if (this.#probeTarget !== null && !this.#connection.mayOpen(this.#probeTarget, this.#now())) return;
    this.#life.opened();
    this.#connection.open(this.plan.location, this.#now(), bus.headers(), (reason) =>
      this.#life.failed(isNameless(this.plan) ? namelessErrorWords(reason, keySettingOf(this.plan.id)) : reason),
    );
  }

  #advanceConnecting(): void {
    const { openedAtMs } = this.#life;
    if (openedAtMs === null) this.#open();
    else if (this.#connection?.isConnected()) this.#life.connected();
    else if (this.#now() - openedAtMs > connectBoundMs) this.#life.failed(noAnswerWords);
  }

  #begin(): void {
    this.#arrived = { bytes: 0, atMs: this.#now() };
    this.#meter.clear();
    this.#reading = null;
    this.#underWay = null;
    this.#options.bus.join(this.#queue);
    this.#begunAtMs = this.#now();
    this.#isCatchingUp = this.#queue.isCatchingUp;
    this.#feed();
  }

  #end(): void {
    this.#bytesOfFormerConnections += this.#connection?.arrivedBytes() ?? 0;
    this.#options.bus.leave(this.#queue);
    this.#queue.clear();
  }

  #feed(): void {
    const connection = this.#connection;
    if (connection === null) return;
    while (this.#life.kind === 'streaming' && connection.hasRoom()) {
      const tag = this.#queue.take();
      if (tag === null) break;
      connection.push(tag);
    }
    this.#look(connection);
  }

  #look(connection: RtmpConnection): void {
    const nowMs = this.#now();
    const sinceMs = nowMs - this.#lookedAtMs;
    if (this.#life.kind !== 'streaming' || sinceMs < shortestLookMs) return;
    if (sinceMs < connection.lookIntervalMs(this.#queue.queuedBytes > 0, nowMs)) return;
    this.#lookedAtMs = nowMs;
    connection.look(nowMs);
    const arrivedBytes = connection.arrivedBytes();
    this.#underWay = this.#underWayNow();
    this.#reading = this.#meter.add({ atMs: nowMs, arrivedBytes, lagMs: this.#underWay.lagMs });
    connection.learn(this.#meter);
    this.#isCatchingUp &&= this.#queue.isCatchingUp || (connection.oldestWaitingAtMs() ?? nowMs) < this.#begunAtMs;
    const isAllThere = this.#queue.queuedBytes === 0 && this.#underWay.bytes === 0;
    if (isAllThere || arrivedBytes !== this.#arrived.bytes) this.#arrived = { bytes: arrivedBytes, atMs: nowMs };
    else if (nowMs - this.#arrived.atMs > stallBoundMs) this.#life.failed(stalledWords);
  }

  /** `lagMs`: for how long the oldest tag that has not arrived has been ready to go. */
  #underWayNow(): { readonly bytes: number; readonly lagMs: number } {
    const oldestAtMs = this.#connection?.oldestWaitingAtMs() ?? this.#queue.next?.placedAtMs ?? null;
    return { bytes: this.#connection?.waitingBytes() ?? 0, lagMs: oldestAtMs === null ? 0 : Math.round(this.#now() - oldestAtMs) };
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
