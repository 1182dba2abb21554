/**
 * One MQTT connection, over WebSocket or as it is, from the first packet to its end. It never reconnects: MQTT.js would do so each second
 * without jitter, and not at all after one refused CONNACK, so a client lives as long as its connection and the uplink makes
 * the next one.
 */
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import { createWebSocketStream, WebSocket } from 'ws';
import type { Clock } from '#device/media/clock.ts';
import { errorText } from '#device/state/state-directory.ts';
import { maxPacketBytes } from '#protocol/topics.ts';

export type ConnectionOptions = {
  /** ws: or wss:, with the path; mqtt: or mqtts:. */
  readonly url: string;
  readonly clientId: string;
  readonly password: string;
  readonly will: { readonly topic: string; readonly payload: string };
  /** Options of `node:tls`. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly onMessage: (topic: string, payload: Buffer) => void;
};

/** How a connection ended, or why there was none. */
export type ConnectionEnd = {
  readonly reason: string;
  /** False: no server has seen the CONNECT, and so not the session number in its will. */
  readonly hasReachedServer: boolean;
  /** The server answered and does not know this device, or not with this credential. */
  readonly isRefused: boolean;
  /** The server has let us in. */
  readonly wasAccepted: boolean;
  /** There is a server, and no broker in it (any more). */
  readonly hasNoBroker: boolean;
};

const keepaliveS = 10;
/** From the first packet to the CONNACK: a half-open proxy must not hold the device for ever. */
const connectTimeoutMs = 15_000;
const acknowledgeTimeoutMs = 15_000;
const goodbyeTimeoutMs = 1000;
/** More than this unsent means that the network is slower than what we say: what may be lost is then not sent. */
const maxUnsentBytes = 512 * 1024;

export class MqttConnection {
  readonly #options: ConnectionOptions;
  #client: MqttClient | null = null;
  #hasReachedServer = false;
  #isRefused = false;
  #wasAccepted = false;
  #hasNoBroker = false;
  #failure: string | null = null;
  #isOver = false;
  /** Whoever waits for an answer: one message at a time, and the subscription. */
  readonly #waiting = new Set<(reason: string) => void>();
  #settleEnd: (end: ConnectionEnd) => void = () => undefined;
  /** Resolves once, whatever the reason. */
  readonly ended: Promise<ConnectionEnd>;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
  }

  /** True when the server has let us in; false when the connection ended before. */
  async open(): Promise<boolean> {
    const { url, clientId, password, will, clock, onMessage } = this.#options;
    const client = new MqttClient(() => this.#createStream(url), {
      clientId,
      username: clientId,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive: keepaliveS,
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false },
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      connectTimeout: connectTimeoutMs,
      timerVariant: 'native',
      // It would keep a buffer for each of the 65 536 message numbers: 7 MB.
      writeCache: false,
    });
    this.#client = client;
    // The whole attempt, name resolution included, has one bound.
    const cancelTimeout = clock.schedule(() => this.#fail(`no answer within ${connectTimeoutMs / 1000} s`), connectTimeoutMs);
    client.on('message', (topic, payload) => onMessage(topic, payload));
    client.on('error', (error) => this.#noteError(error));
    client.on('close', () => this.#finish());
    const isOpen = await Promise.race([
      new Promise<true>((resolve) => client.once('connect', () => resolve(true))),
      this.ended.then(() => false as const),
    ]);
    cancelTimeout();
    this.#wasAccepted = isOpen;
    return isOpen && !this.#isOver;
  }

  /** Rejects when the server grants less than was asked for. */
  async subscribe(topics: readonly string[]): Promise<void> {
    const granted = await this.#bounded('the subscription', this.#openClient().subscribeAsync([...topics], { qos: 1 }));
    if (granted.some(({ qos }) => qos !== 1)) throw new Error('the server refuses a subscription to this device’s own topics');
  }

  /** Resolves at the server's acknowledgement; otherwise the connection ends, and with it the promise. */
  async publish(topic: string, payload: string | Buffer): Promise<void> {
    await this.#bounded('an acknowledgement', this.#openClient().publishAsync(topic, payload, { qos: 1 }));
  }

  /** For what may be lost. False when it was dropped. */
  publishLossy(topic: string, payload: string | Buffer): boolean {
    const client = this.#client;
    if (client === null || !client.connected || client.stream.writableLength > maxUnsentBytes) return false;
    client.publish(topic, payload, { qos: 0 });
    return true;
  }

  /** Says goodbye (the will is then not sent) and waits for the end, a second at most. May be called twice. */
  async close(): Promise<void> {
    const client = this.#client;
    if (client === null || this.#isOver) return;
    this.#failure ??= 'closed by the agent';
    const cancel = this.#options.clock.schedule(() => this.#fail('the server did not say goodbye'), goodbyeTimeoutMs);
    client.end(false);
    await this.ended;
    cancel();
  }

  /** Ends the connection without a goodbye. */
  abort(reason: string): void {
    this.#fail(reason);
  }

  #createStream(url: string): MqttClient['stream'] {
    const { protocol, hostname, port } = new URL(url);
    if (protocol === 'ws:' || protocol === 'wss:') return this.#createWebSocketStream(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const { ca } = this.#options;
    const socket =
      protocol === 'mqtts:'
        ? connectTls({
            host,
            port: Number(port || 8883),
            // An IP address is no server name (RFC 6066, section 3).
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(ca === undefined ? {} : { ca }),
          })
        : connectTcp({ host, port: Number(port || 1883), noDelay: true });
    socket.once(protocol === 'mqtts:' ? 'secureConnect' : 'connect', () => {
      this.#hasReachedServer = true;
    });
    return socket;
  }

  #createWebSocketStream(url: string): MqttClient['stream'] {
    const socket = new WebSocket(url, ['mqtt'], {
      handshakeTimeout: connectTimeoutMs,
      perMessageDeflate: false,
      maxPayload: maxPacketBytes,
      followRedirects: false,
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    });
    socket.once('open', () => {
      this.#hasReachedServer = true;
    });
    const stream = createWebSocketStream(socket);
    socket.once('close', () => stream.destroy());
    return stream;
  }

  #openClient(): MqttClient {
    if (this.#client === null || this.#isOver) throw new Error('the connection is over');
    return this.#client;
  }

  /**
   * Rejects when it takes too long, or the connection ends before. Who waits is kept in a set and goes from it: a `then` on
   * `ended` for each message would stay there as long as the connection holds, which is days.
   */
  #bounded<T>(expected: string, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onEnd = (reason: string): void => {
        settle();
        reject(new Error(reason));
      };
      const cancel = this.#options.clock.schedule(
        () => this.#fail(`expected ${expected} within ${acknowledgeTimeoutMs / 1000} s, got none`),
        acknowledgeTimeoutMs,
      );
      const settle = (): void => {
        cancel();
        this.#waiting.delete(onEnd);
      };
      this.#waiting.add(onEnd);
      work.then(
        (value) => {
          settle();
          resolve(value);
        },
        (cause: unknown) => {
          settle();
          reject(cause);
        },
      );
    });
  }

  #noteError(error: Error): void {
    // MQTT 3.1.1, 3.2.2.3: 4 is a bad user name or password, 5 is not authorised.
    if ('code' in error && (error.code === 4 || error.code === 5)) this.#isRefused = true;
    if (error.message === 'Unexpected server response: 404') this.#hasNoBroker = true;
    this.#fail(error.message === '' ? errorText(error) : error.message);
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    if (this.#isOver) return;
    this.#client?.end(true);
    // The socket may never say that it is closed (a network that is gone): the end is ours to declare.
    this.#client?.stream.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reason = this.#failure ?? 'the server closed the connection';
    for (const onEnd of [...this.#waiting]) onEnd(reason);
    this.#settleEnd({
      reason,
      hasReachedServer: this.#hasReachedServer,
      isRefused: this.#isRefused,
      wasAccepted: this.#wasAccepted,
      hasNoBroker: this.#hasNoBroker,
    });
  }
}
