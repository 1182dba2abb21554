/** One RTMP target: connects, feeds, notices a dead or stalled connection, and tries again for as long as it is wanted. */
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import type { RtmpConnection, RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { noAnswerWords, stalledWords } from '#device/media-host/rtmp-error.ts';
import { type RtmpEffect, type RtmpEvent, type RtmpState, reconnectPolicy, transition } from '#device/media-host/rtmp-state.ts';
import { TagQueue } from '#device/media-host/tag-queue.ts';
import type { RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import type { OutputState, OutputStatus } from '#protocol/media.ts';

/** About twelve seconds of 2.5 Mbit/s. */
const maximumQueuedBytes = 4 * 1024 * 1024;
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
  readonly #queue = new TagQueue(maximumQueuedBytes);
  #state: RtmpState = { kind: 'stopped' };
  #connection: RtmpConnection | null = null;
  /** The connection is to be opened as soon as the bus has something to send. */
  #isOpenDue = false;
  #openedAtMs = 0;
  #connections = 0;
  #bytesOfFormerConnections = 0;
  #taken = { bytes: 0, atMs: 0 };
  #cancelRetry: () => void = () => undefined;

  constructor(options: RtmpOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
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

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    return {
      id,
      kind,
      target,
      state: this.#outputState(),
      connections: this.#connections,
      bytesSent: this.#bytesOfFormerConnections + (this.#state.kind === 'streaming' ? (this.#connection?.takenBytes() ?? 0) : 0),
      droppedGroups: this.#queue.droppedGroups,
      queuedBytes: this.#queue.queuedBytes + (this.#state.kind === 'streaming' ? (this.#connection?.waitingBytes() ?? 0) : 0),
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
    const takenBytes = connection.takenBytes();
    const isAllTaken = this.#queue.queuedBytes === 0 && connection.waitingBytes() === 0;
    if (isAllTaken || takenBytes !== this.#taken.bytes) this.#taken = { bytes: takenBytes, atMs: this.#now() };
    else if (this.#now() - this.#taken.atMs > stallBoundMs) this.#on({ kind: 'failed', reason: stalledWords });
  }

  #on(event: RtmpEvent): void {
    const former = this.#state;
    const { clock, random } = this.#options;
    const { state, effects } = transition(former, event, { nowMs: clock.monotonicMs(), random: random(), policy: reconnectPolicy });
    if (former.kind === 'streaming' && state.kind !== 'streaming') {
      this.#bytesOfFormerConnections += this.#connection?.takenBytes() ?? 0;
      this.#options.bus.leave(this.#queue);
      this.#queue.clear();
    }
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (former.kind !== 'streaming' && state.kind === 'streaming') {
      this.#connections += 1;
      this.#taken = { bytes: 0, atMs: this.#now() };
      this.#options.bus.join(this.#queue);
      this.#feed();
    }
    if (state !== former) this.#options.onState();
  }

  #perform(effect: RtmpEffect): void {
    switch (effect.kind) {
      case 'open':
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
