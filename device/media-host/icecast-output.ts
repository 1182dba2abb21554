/** The sound for an Icecast server: connects, encodes, notices a dead connection, and tries again for as long as it is wanted. */
import { hostname } from 'node:os';
import { ConnectionLife } from '#device/media-host/connection-life.ts';
import { IcecastConnection, parseIcecastAddress } from '#device/media-host/icecast-connection.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { noAnswerWords, stalledWords } from '#device/media-host/rtmp-error.ts';
import { TagQueue } from '#device/media-host/tag-queue.ts';
import type { VorbisEncoder } from '#device/media-host/vorbis-encoder.ts';
import type { IcecastOutputPlan } from '#device/plan/pipeline-plan.ts';
import type { OutputStatus } from '#protocol/media.ts';

const maximumQueuedBytes = 8 * 1024 * 1024;
const queueAges = { dropMs: 4_000, cutMs: 5_000 };
/** Some seconds of sound: more is not encoded ahead of a server that does not take it. */
const roomBytes = 64 * 1024;
const stallBoundMs = 10_000;
const connectBoundMs = 5_000;
export const icecastAddressExpected = 'expected an address icecast://source:password@host:8000/mount';

export type IcecastOutputOptions = OutputSurroundings & {
  readonly plan: IcecastOutputPlan;
  /** Throws where an element is not installed. */
  readonly acquireEncoder: () => VorbisEncoder;
  readonly releaseEncoder: (encoder: VorbisEncoder) => void;
};

export class IcecastOutput implements Output {
  readonly plan: IcecastOutputPlan;
  readonly #options: IcecastOutputOptions;
  readonly #life: ConnectionLife;
  readonly #queue = new TagQueue(maximumQueuedBytes, queueAges);
  #encoder: VorbisEncoder | null = null;
  #connection: IcecastConnection | null = null;
  #bytesOfFormerConnections = 0;
  #sent = { bytes: 0, atMs: 0 };

  constructor(options: IcecastOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
    const { clock, random, onEvent, onState, plan } = options;
    this.#life = new ConnectionLife({
      ...{ clock, random, onEvent, onState },
      target: plan.target,
      probeTarget: parseIcecastAddress(plan.location),
      open: () => this.#open(),
      close: () => this.#close(),
      onStreaming: () => this.#begin(),
      onLost: () => this.#end(),
    });
  }

  start(): void {
    this.#life.start();
  }

  stop(): void {
    this.#life.stop();
    if (this.#encoder !== null) this.#options.releaseEncoder(this.#encoder);
    this.#encoder = null;
  }

  advance(): void {
    const { kind, openedAtMs } = this.#life;
    if (kind === 'streaming') this.#feed();
    if (kind !== 'connecting') return;
    if (openedAtMs === null) this.#open();
    else if (this.#now() - openedAtMs > connectBoundMs) this.#life.failed(noAnswerWords);
  }

  onNetworkReturn(): void {
    this.#life.onNetworkReturn();
  }

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    const connection = this.#life.kind === 'streaming' ? this.#connection : null;
    return {
      id,
      kind,
      target,
      state: this.#life.outputState(),
      connections: this.#life.connections,
      bytesSent: this.#bytesOfFormerConnections + (connection?.sentBytes ?? 0),
      droppedGroups: this.#queue.droppedGroups,
      queuedBytes: connection?.waitingBytes ?? 0,
    };
  }

  #open(): void {
    const { bus } = this.#options;
    bus.announceJoin();
    if (!bus.isReady) return;
    this.#life.opened();
    this.#close();
    const address = parseIcecastAddress(this.plan.location);
    if (address === null) {
      this.#life.failed(icecastAddressExpected);
      return;
    }
    this.#connection = new IcecastConnection(address, this.plan.name || hostname(), {
      onAccepted: () => this.#life.connected(),
      onFailed: (reason) => this.#life.failed(reason),
    });
  }

  #begin(): void {
    this.#sent = { bytes: 0, atMs: this.#now() };
    try {
      this.#encoder ??= this.#options.acquireEncoder();
    } catch (cause) {
      this.#life.failed(cause instanceof Error ? cause.message : String(cause));
      return;
    }
    this.#encoder.start({
      onPage: (page) => this.#connection?.write(page),
      onFailed: (reason) => this.#life.failed(reason),
    });
    this.#options.bus.join(this.#queue);
    this.#feed();
  }

  #end(): void {
    this.#bytesOfFormerConnections += this.#connection?.sentBytes ?? 0;
    this.#options.bus.leave(this.#queue);
    this.#queue.clear();
    this.#encoder?.stop();
  }

  #close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  #feed(): void {
    const connection = this.#connection;
    if (connection === null) return;
    while (connection.waitingBytes < roomBytes) {
      const tag = this.#queue.take();
      if (tag === null) break;
      this.#encoder?.push(tag);
    }
    const nowMs = this.#now();
    if (connection.waitingBytes === 0 || connection.sentBytes !== this.#sent.bytes)
      this.#sent = { bytes: connection.sentBytes, atMs: nowMs };
    else if (nowMs - this.#sent.atMs > stallBoundMs) this.#life.failed(stalledWords);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
