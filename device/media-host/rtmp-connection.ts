/**
 * One RTMP connection at a time through `rtmp2sink`, in a pipeline that is used again for each next connection: pipelines
 * are never freed by the binding, and hundreds of reconnects must leave the memory as it was.
 *
 * The address with its key is set as a property: a launch string would show it in errors.
 */
import { lookup } from 'node:dns';
import { type PlacedTag, writeTimestamp } from '#device/media-host/flv.ts';
import { type GstElement, GstPipeline } from '#device/media-host/gst-pipeline.ts';
import { type Carrier, type ClaimedSocket, KernelSockets } from '#device/media-host/kernel-sockets.ts';
import type { ProbeTarget } from '#device/media-host/reachability-probe.ts';
import { rtmpErrorWords } from '#device/media-host/rtmp-error.ts';
import { SendLedger } from '#device/media-host/send-ledger.ts';
import type { UplinkMeter } from '#device/media-host/uplink-meter.ts';
import { WayLength } from '#device/media-host/way-length.ts';
import { WayRoom } from '#device/media-host/way-room.ts';

/**
 * The queue has no bound of its own: its numbers are 32-bit properties, which the binding reads without leaking, and the
 * output hands it no more than `roomBytes`. Chunks of 4096 bytes instead of 128 save a copy and a header each 128 bytes.
 */
const description =
  'appsrc name=source caps=video/x-flv is-live=true max-bytes=0 ! ' +
  'queue name=queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! ' +
  'rtmp2sink name=sink async-connect=true sync=false chunk-size=4096 tls-validation-flags=validate-all';

/** What waits here or in the kernel can no longer be dropped by groups: enough for a keyframe in high quality, no more. */
const roomBytes = 512 * 1024;
/** On a short way: twice what the way itself takes, what lies between two looks, and this, as a look comes with the next tag. */
const slackMs = 100;
/** On a long way, in place of what lies between two looks and the slack. */
const longRoomMs = 500;
const mostRoomMs = 1500;
/** A way that has become longer is believed slowly: its delay is the least of late. */
const delayDriftMs = 1;
/** Beyond what the way itself takes; a keyframe may be under way for so long. */
const keepsUpMs = { short: 80, long: 150 } as const;
/** In so short a time, and twice what the way itself takes, it shows that a short way has become narrow. */
const learnOverMs = { short: 150, long: 1000 } as const;
/** On a long way. One that keeps up is looked at just before what was handed to it since the last look fills its room. */
const longIntervalsMs = { keepsUp: 450, isBehind: 200 } as const;

/**
 * By which a client makes itself known: GStreamer's own words and those of FFmpeg, which every server has met. By turns, because they differ in
 * length: so a connection that was ended before its first picture has other figures than the next one, which else would never be known for one.
 */
const clientNames = ['LNX 10,0,32,18', 'LNX 9,0,124,2'];

/** FLV time has 32 bits, of which receivers dislike the last: after 24.8 days a connection has to begin anew. */
const longestConnectionMs = 2 ** 31 - 1;

export class RtmpConnection {
  readonly #pipeline: GstPipeline;
  readonly #source: GstElement;
  readonly #queue: GstElement;
  readonly #sink: GstElement;
  readonly #sockets: KernelSockets;
  readonly #ledger = new SendLedger();
  readonly #room = new WayRoom();
  readonly #length = new WayLength();
  #onFailed: ((reason: string) => void) | null = null;
  #baseMs: number | null = null;
  #isConnected = false;
  #delayMs: number | null = null;
  #isBehind = true;
  /** What the sink says of its last connection until the next one begins, which is a moment after the start. */
  #formerStatistics = '';
  #attempts = 0;
  /** What the kernel has of this connection. */
  #carrier: Carrier | null = null;

  constructor(sockets: KernelSockets) {
    this.#sockets = sockets;
    this.#pipeline = new GstPipeline(description, {
      keepsBusThread: true,
      onError: ({ message }) => this.#fail(rtmpErrorWords(message)),
      onEnd: () => this.#fail('closed by the server'),
    });
    this.#source = this.#element('source');
    this.#queue = this.#element('queue');
    this.#sink = this.#element('sink');
  }

  /** To be asked while it is closed. Where it may not, another one is on its way to the same port, and will be there or have failed in a moment. */
  mayOpen(target: ProbeTarget, nowMs: number): boolean {
    return this.#sockets.mayBegin(target, nowMs);
  }

  /**
   * The headers go at once: that the server has accepted the stream shows in that the sink takes them. `onFailed` is called
   * at most once, and the connection is closed by then.
   */
  open(location: string, nowMs: number, headers: readonly PlacedTag[], onFailed: (reason: string) => void): void {
    this.close();
    this.#onFailed = onFailed;
    this.#baseMs = null;
    this.#ledger.clear();
    this.#delayMs = null;
    this.#isBehind = true;
    this.#room.clear();
    this.#length.clear();
    this.#isConnected = false;
    // An address that the sink refuses leaves the former one in place, which may be somebody else's: so first none at all.
    this.#sink['host'] = '';
    this.#sink['location'] = location;
    if (!this.#sink['host']) {
      this.#fail(rtmpErrorWords('invalid address'));
      return;
    }
    this.#attempts += 1;
    this.#sink['flash-version'] = clientNames[this.#attempts % clientNames.length];
    this.#formerStatistics = this.#statistics();
    this.#carrier = this.#sockets.begin(String(this.#sink['host']), Number(this.#sink['port']), nowMs);
    this.#pipeline.play();
    for (const tag of headers) this.push(tag);
  }

  /** May be called twice. */
  close(): void {
    this.#onFailed = null;
    this.#pipeline.stop();
    if (this.#carrier !== null) this.#sockets.end(this.#carrier);
    this.#carrier = null;
  }

  /** The server has accepted the stream. To be asked only after `open` with two headers or more. */
  isConnected(): boolean {
    if (this.#isConnected) return true;
    // While there is no connection the sink holds one buffer and the queue the others.
    if (this.#onFailed === null || this.#queue['current-level-buffers'] !== 0) return false;
    // A connection that just failed may have emptied the queue before its error is here; then there are no statistics. One that
    // just began may not have filled it: then they are the former ones. To be ended in that moment costs the sink its socket.
    const statistics = this.#statistics();
    this.#isConnected = statistics !== this.#formerStatistics && / out-bytes-total=\(guint64\)[1-9]/.test(statistics);
    if (this.#isConnected && this.#carrier !== null) this.#findSocket(this.#carrier);
    return this.#isConnected;
  }

  hasRoom(): boolean {
    // On a way that has become narrow, what is under way takes longer than its pictures did.
    const wayMs = 2 * (this.#delayMs ?? 0);
    if (!this.#room.hasRoom(this.waitingBytes(), wayMs)) return false;
    const betweenMs = this.#length.isShort ? this.#sockets.longestIntervalMs(this.#isBehind) + slackMs : longRoomMs;
    const roomMs = Math.min(mostRoomMs, betweenMs + wayMs);
    return this.#queuedBytes() < roomBytes && this.#ledger.spanMs < roomMs;
  }

  /** Handed over, and not acknowledged by the server when it was last looked at. */
  waitingBytes(): number {
    return this.#ledger.pushedBytes - this.#ledger.arrivedBytes;
  }

  arrivedBytes(): number {
    return this.#ledger.arrivedBytes;
  }

  /** When the oldest tag that waits so was placed on the time line; null where none does. */
  oldestWaitingAtMs(): number | null {
    return this.#ledger.oldest?.placedAtMs ?? null;
  }

  /** From one look to the next. `waits`: there is more to hand over than there is room for. */
  lookIntervalMs(waits: boolean, nowMs: number): number {
    const isBehind = waits || this.#isBehind;
    if (this.#length.isShort) return this.#sockets.lookIntervalMs(isBehind, nowMs);
    return longIntervalsMs[isBehind ? 'isBehind' : 'keepsUp'];
  }

  /** Looks at what has arrived. */
  look(nowMs: number): void {
    const socket = this.#socket();
    const inKernel = socket === null ? 0 : (this.#sockets.waitingBytes(socket, nowMs) ?? 0);
    this.#ledger.settle(this.#queuedBytes() + inKernel);
    if (socket !== null) this.#length.note(this.#sockets.roundTripMs(socket, nowMs));
    this.#delayMs = Math.min(this.#ledger.spanMs, (this.#delayMs ?? mostRoomMs) + delayDriftMs);
    this.#isBehind = this.#ledger.spanMs > this.#delayMs + keepsUpMs[this.#length.isShort ? 'short' : 'long'];
  }

  /** To be told after each look what it saw. */
  learn(meter: Pick<UplinkMeter, 'deliveredKbps'>): void {
    const overMs = this.#length.isShort ? learnOverMs.short + 2 * (this.#delayMs ?? 0) : learnOverMs.long;
    this.#room.learn(this.#isBehind, meter.deliveredKbps(overMs));
  }

  push(tag: PlacedTag): void {
    if (this.#onFailed === null) return;
    this.#baseMs ??= tag.timestampMs;
    const timestampMs = tag.timestampMs - this.#baseMs;
    if (timestampMs > longestConnectionMs) {
      this.#fail('closed by us: the time stamps of one connection are used up after 24 days');
      return;
    }
    writeTimestamp(tag.bytes, timestampMs);
    this.#ledger.push(tag.bytes.length, tag);
    this.#source.push?.(tag.bytes);
  }

  /** To be read a few times a connection: the binding leaks a kilobyte each time. */
  #statistics(): string {
    return String(this.#sink['stats']);
  }

  #queuedBytes(): number {
    return Number(this.#queue['current-level-bytes']);
  }

  /** Null while it is not known. */
  #socket(): ClaimedSocket | null {
    const carrier = this.#carrier;
    if (carrier?.socket === null && !carrier.isOpening) this.#sockets.recognise(carrier, []);
    return carrier?.socket ?? null;
  }

  /** The name is looked up to tell our connections to one port apart; it was just found, so the answer is near. */
  #findSocket(carrier: Carrier): void {
    lookup(carrier.host, { all: true }, (_error, found) => {
      if (this.#carrier !== carrier) return;
      this.#sockets.recognise(
        carrier,
        (found ?? []).map(({ address }) => address),
      );
    });
  }

  #fail(reason: string): void {
    const onFailed = this.#onFailed;
    this.close();
    onFailed?.(reason);
  }

  #element(name: string): GstElement {
    const element = this.#pipeline.element(name);
    if (element === null) throw new Error(`expected an element "${name}" in the RTMP pipeline, found none`);
    return element;
  }
}

/** Closed connections wait here for their next use: at most as many exist as outputs ever ran at the same time. */
export class RtmpConnectionPool {
  readonly #idle: RtmpConnection[] = [];
  readonly #sockets = new KernelSockets();

  acquire(): RtmpConnection {
    return this.#idle.pop() ?? new RtmpConnection(this.#sockets);
  }

  release(connection: RtmpConnection): void {
    connection.close();
    this.#idle.push(connection);
  }
}
