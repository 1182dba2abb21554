/**
 * The MQTT broker: Aedes in this process, over TCP and WebSocket, with every rule of the protocol's topics applied.
 *
 * INVARIANTS
 * - Nothing rests here: clean sessions only, nothing retained, no queue for a device that is away.
 * - A message is handed to the server, and its promise awaited, before it is acknowledged: Aedes by itself acknowledges QoS 1 before it stores
 *   or hands on. Nearly all go past it (device-lane.ts).
 * - A device that sends too much, or takes too little, costs its own connection and nobody else's.
 */
import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AuthenticateError, type Client, type ConnectPacket, type PublishPacket, type Subscription } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import { type ConnectRefusal, findConnectRefusal, maxKeepaliveS } from '#fleet-server/broker/connect-rules.ts';
import { type Connection, ConnectionTable } from '#fleet-server/broker/connection-table.ts';
import type {
  BrokerFigures,
  BrokerHooks,
  BrokerProblem,
  ConnectionReason,
  DeviceBroker,
  PublishOutcome,
} from '#fleet-server/broker/contract.ts';
import { DeviceLane } from '#fleet-server/broker/device-lane.ts';
import { Entrance } from '#fleet-server/broker/entrance.ts';
import { FailureLedger } from '#fleet-server/broker/failure-ledger.ts';
import { type HandshakeLimits, Handshakes } from '#fleet-server/broker/handshakes.ts';
import { Inbox } from '#fleet-server/broker/inbox.ts';
import { OwnMessages } from '#fleet-server/broker/own-messages.ts';
import { PacketRefused } from '#fleet-server/broker/packet-limit.ts';
import { ProblemLog } from '#fleet-server/broker/problem-log.ts';
import { WebSocketDoor } from '#fleet-server/broker/web-socket-door.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';
import { type DownwardBody, type DownwardName, encodeDownward } from '#protocol/envelope.ts';
import { downwardTopics, isTopicAllowed, parseTopic, type UpwardTopic } from '#protocol/topics.ts';

export const brokerPolicy = {
  /** Connections that the system keeps until they are accepted; it takes fewer where net.core.somaxconn says so. */
  backlog: 4096,
  connectTimeoutMs: 10_000,
  /** How long a connection may take nothing in before it is cut. */
  drainTimeoutMs: 15_000,
  maxTopicLevels: 8,
  /** Packets that a client may send before it has been told that it is accepted. */
  maxQueuedBeforeAccept: 20,
  maxCredentialBytes: 256,
  closeTimeoutMs: 2000,
} as const;

const tooMany = 'expected fewer connections at once that say nothing; ended one';

// A Buffer for each number from 0 to 65535 would lie in the heap for good, and be looked through at each tidying up.
writeToStream.cacheNumbers = false;

export type BrokerSettings = {
  readonly port: number;
  readonly host: string | undefined;
  readonly server: HttpServer;
  readonly hooks: BrokerHooks;
  readonly log: Log;
  readonly clock: Clock;
  readonly tls?: TlsKeeper | null;
  /** Those of handshakes.ts unless given. */
  readonly handshakeLimits?: HandshakeLimits;
  /** The address itself unless told. */
  addressOf?(remote: string, forwardedFor: string | undefined): string;
  /** A connection to the HTTP server has become one of the broker's. */
  onWebSocket?(socket: Socket): void;
};

function listener(tls: TlsKeeper | null, handshakes: Handshakes, accept: (socket: Socket) => void): Server {
  if (tls === null) return createServer({ noDelay: true }, accept);
  const { cert, key } = tls.material;
  const server = createTlsServer({ cert, key, noDelay: true, handshakeTimeout: brokerPolicy.connectTimeoutMs }, accept);
  tls.attach(server);
  handshakes.attach(server);
  return server;
}

export class Broker implements DeviceBroker {
  readonly isShared = false;
  readonly deviceUrl = null;
  readonly #settings: BrokerSettings;
  readonly #connections: ConnectionTable;
  readonly #inbox: Inbox;
  readonly #problems: ProblemLog;
  readonly #failures = new FailureLedger();
  readonly #entrance: Entrance<Connection>;
  readonly #webSockets: WebSocketDoor;
  readonly #tcpServer: Server;
  #aedes: Aedes | undefined;
  #closing: Promise<void> | undefined;
  #messagesSent = 0;

  constructor(settings: BrokerSettings) {
    this.#settings = settings;
    this.#problems = new ProblemLog(settings.log, settings.clock);
    this.#entrance = new Entrance(settings.clock);
    const onTooMany = (address: string) => this.#problems.add({ address }, { code: 'packet-refused', message: tooMany });
    this.#connections = new ConnectionTable({
      onGone: (connection, reason) => this.#onDisconnected(connection, reason),
      onTooMany,
    });
    this.#inbox = new Inbox(settings.hooks, settings.clock, (deviceId, problem) => this.#problem(deviceId, problem));
    this.#webSockets = new WebSocketDoor(settings.server, (stream, request) => {
      settings.onWebSocket?.(request.socket);
      const forwardedFor = request.headers['x-forwarded-for'];
      const remote = request.socket.remoteAddress ?? 'unknown';
      const text = Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor;
      this.#accept(stream, settings.addressOf?.(remote, text) ?? remote, request);
    });
    this.#tcpServer = listener(settings.tls ?? null, new Handshakes(onTooMany, settings.handshakeLimits), (socket) =>
      this.#accept(socket, socket.remoteAddress),
    );
  }

  async start(): Promise<void> {
    const { connectTimeoutMs, drainTimeoutMs, maxTopicLevels, maxQueuedBeforeAccept } = brokerPolicy;
    const aedes = await Aedes.createBroker({
      mq: new OwnMessages(),
      connectTimeout: connectTimeoutMs,
      drainTimeout: drainTimeoutMs,
      keepaliveLimit: maxKeepaliveS,
      maxTopicLevels,
      queueLimit: maxQueuedBeforeAccept,
      maxInflightInbound: 1,
      preConnect: (client, packet, done) => done(null, this.#preConnect(client, packet)),
      authenticate: (client, _username, password, done) => this.#authenticate(client, password, done),
      authorizePublish: (client, packet, done) => void this.#takePublish(client, packet).then(done, done),
      authorizeSubscribe: (client, subscription, done) => done(null, this.#judgeSubscription(client, subscription)),
    });
    // Said of its own store, which is memory; unheard, it would end the process.
    (aedes as EventEmitter).on('error', (err: unknown) => this.#settings.log.error({ err }, 'broker: Aedes failed'));
    aedes.on('client', (client) => this.#onConnected(client));
    aedes.on('clientReady', (client) => this.#connections.of(client)?.lane?.open());
    aedes.on('keepaliveTimeout', (client) => this.#connections.of(client)?.blame('keepalive-timeout'));
    aedes.on('clientError', (client, error) => this.#onConnectionError(client, error));
    aedes.on('connectionError', (client, error) => this.#onConnectionError(client, error));
    this.#aedes = aedes;
    this.#problems.start();
    this.#webSockets.start();
    await this.#listen();
  }

  /** Ends within `closeTimeoutMs`; may be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async publish<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>): Promise<PublishOutcome> {
    const payload = encodeDownward(name, { sentAt: new Date(this.#settings.clock.nowMs()).toISOString(), body });
    const { maxBytes } = downwardTopics[name];
    const payloadBytes = Buffer.byteLength(payload);
    if (payloadBytes > maxBytes) throw new RangeError(`expected a ${name} of at most ${maxBytes} bytes, got ${payloadBytes}`);
    const outcome = await (this.#connections.ofDevice(deviceId)?.queue.publish(name, payload) ?? 'offline');
    if (outcome === 'sent') this.#messagesSent += 1;
    return outcome;
  }

  disconnect(deviceId: string): void {
    this.#connections.ofDevice(deviceId)?.end('revoked');
  }

  isConnected(deviceId: string): boolean {
    return this.#connections.ofDevice(deviceId) !== undefined;
  }

  /** It asks for each connection whose credential is right. */
  async admit(): Promise<void> {}

  problem(): string | null {
    return this.port() === 0 ? 'The broker does not listen yet.' : null;
  }

  /** The TCP port that is really listened on; 0 before the start. */
  port(): number {
    const address = this.#tcpServer.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  figures(): BrokerFigures {
    return {
      connections: this.#connections.deviceCount,
      messagesReceived: this.#inbox.received,
      messagesSent: this.#messagesSent,
      problems: this.#problems.total,
      ingest: this.#inbox.ingest.figures(),
    };
  }

  #listen(): Promise<void> {
    const { port, host } = this.#settings;
    return new Promise((resolve, reject) => {
      this.#tcpServer.once('error', reject);
      const { backlog } = brokerPolicy;
      this.#tcpServer.listen({ port, backlog, ...(host === undefined ? {} : { host }) }, () => {
        this.#tcpServer.off('error', reject);
        this.#tcpServer.on('error', (error) => this.#settings.log.error({ code: 'broker-listen' }, error.message));
        resolve();
      });
    });
  }

  async #close(): Promise<void> {
    this.#webSockets.stop();
    const ended = Promise.all([
      new Promise<void>((resolve) => this.#tcpServer.close(() => resolve())),
      new Promise<void>((resolve) => {
        if (this.#aedes === undefined) resolve();
        else this.#aedes.close(() => resolve());
      }),
    ]);
    this.#connections.endAll();
    let cancel = () => {};
    const timedOut = new Promise<void>((resolve) => {
      cancel = this.#settings.clock.after(brokerPolicy.closeTimeoutMs, resolve);
    });
    await Promise.race([ended, timedOut]);
    cancel();
    this.#problems.stop();
  }

  #accept(stream: Duplex, address = 'unknown', request?: IncomingMessage): void {
    if (this.#closing !== undefined || this.#aedes === undefined) {
      stream.destroy();
      return;
    }
    const guarded = this.#connections.admit(stream, address);
    if (guarded !== undefined) this.#aedes.handle(guarded, request as IncomingMessage);
  }

  #preConnect(client: Client, packet: ConnectPacket): boolean {
    const connection = this.#connections.of(client);
    if (connection === undefined) return false;
    const { will } = packet;
    // Kept for `authenticate`: an error here would close the connection without the return code that the refusal has.
    connection.refusal = findConnectRefusal({
      clientId: packet.clientId,
      username: packet.username,
      will: will === undefined ? undefined : { topic: will.topic, payloadBytes: Buffer.byteLength(will.payload), qos: will.qos ?? 0 },
    });
    // A persistent session would make Aedes keep a queue without bound for a device that is away.
    packet.clean = true;
    if (will !== undefined) will.retain = false;
    return true;
  }

  #authenticate(client: Client, password: Buffer | undefined, done: (error: AuthenticateError | null, success: boolean) => void): void {
    const connection = this.#connections.of(client);
    const refusal = connection && this.#findRefusal(connection, client.id, password);
    if (connection === undefined || connection.guarded.destroyed) {
      done(null, false);
      return;
    }
    if (refusal === undefined) {
      connection.guarded.accept();
      this.#connections.know(connection);
      connection.guarded.once('close', () => this.#entrance.leave(connection));
      this.#entrance.enter(connection, () => done(null, true));
      return;
    }
    const { address } = connection;
    this.#problems.add({ address }, { code: 'credential-refused', message: refusal.message });
    const delayMs = this.#failures.note(address, this.#settings.clock.nowMs());
    const error = Object.assign(new Error(refusal.message), { returnCode: refusal.returnCode }) as AuthenticateError;
    this.#settings.clock.after(delayMs, () => done(error, false));
  }

  #findRefusal(connection: Connection, deviceId: string, password: Buffer | undefined): ConnectRefusal | undefined {
    if (connection.refusal !== undefined) return connection.refusal;
    const isPossible = password !== undefined && password.length > 0 && password.length <= brokerPolicy.maxCredentialBytes;
    try {
      if (isPossible && this.#settings.hooks.authenticate(deviceId, password.toString('utf8'))) return undefined;
    } catch (err) {
      this.#settings.log.error({ err, deviceId }, 'broker: a credential could not be checked');
      return { returnCode: 3, message: 'the server cannot check credentials now' };
    }
    return { returnCode: 4, message: 'expected the credential of this device, got a wrong one' };
  }

  #onConnected(client: Client): void {
    const connection = this.#connections.of(client);
    if (connection === undefined || this.#closing !== undefined) {
      client.close();
      return;
    }
    const lane = new DeviceLane({
      client,
      guarded: connection.guarded,
      clock: this.#settings.clock,
      drainTimeoutMs: brokerPolicy.drainTimeoutMs,
      receive: ({ name, payload }) => this.#receive(client, connection, name, payload),
      subscribe: (topic, qos) => this.#judgeSubscription(client, { topic, qos }) !== null,
    });
    connection.lane = lane;
    const isTakeover = this.#connections.enter(client, connection, (name, payload) => lane.send(name, payload));
    this.#report(client.id, 'connected', isTakeover ? 'taken-over' : 'accepted');
  }

  #onDisconnected(connection: Connection, reason: ConnectionReason): void {
    if (this.#closing !== undefined || connection.deviceId === undefined) return;
    this.#report(connection.deviceId, 'disconnected', reason);
  }

  #report(deviceId: string, state: 'connected' | 'disconnected', reason: ConnectionReason): void {
    try {
      this.#settings.hooks.onConnection(deviceId, state, reason);
    } catch (err) {
      // Thrown on, it would come out in the middle of Aedes and end the process.
      this.#settings.log.error({ err, deviceId }, `broker: that a device is ${state} could not be dealt with`);
    }
  }

  /** Also asked for the last will, by which time the connection is closed. An answer closes the connection. */
  async #takePublish(client: Client | null, packet: PublishPacket): Promise<Error | undefined> {
    const connection = client === null ? undefined : this.#connections.of(client);
    if (client === null || connection === undefined || this.#closing !== undefined) return new Error('not accepted');
    // This stands in for the default rule of Aedes, which keeps clients out of $SYS/: there they could throw others out. No
    // topic outside the protocol's table is ever allowed.
    if (packet.topic.startsWith('$SYS/') || !isTopicAllowed(client.id, 'publish', packet.topic)) {
      this.#problem(client.id, { code: 'topic-refused', message: 'expected one of the device’s own topics in PUBLISH, got another' });
      return new Error('topic refused');
    }
    if (packet.qos > 1) {
      this.#problem(client.id, { code: 'packet-refused', message: 'expected QoS 0 or 1, got 2' });
      return new Error('QoS 2 refused');
    }
    packet.retain = false;
    const parsed = parseTopic(packet.topic);
    return parsed?.way === 'up' ? this.#receive(client, connection, parsed.name, Buffer.from(packet.payload)) : undefined;
  }

  #receive(client: Client, connection: Connection, name: UpwardTopic, payload: Buffer): Promise<Error | undefined> | Error | undefined {
    if (this.#closing !== undefined) return new Error('not accepted');
    const answer = this.#inbox.take({ connection, deviceId: client.id, name, payload, isWill: client.closed });
    // The last of what it says when it comes.
    if (name !== 'report' || !(answer instanceof Promise)) return answer;
    return answer.finally(() => this.#entrance.leave(connection));
  }

  /** Null, and not an error, for a topic that is refused: SUBACK 128 (3.9.3), and the connection goes on. */
  #judgeSubscription(client: Client, subscription: Subscription): Subscription | null {
    if (isTopicAllowed(client.id, 'subscribe', subscription.topic)) {
      this.#connections.of(client)?.lane?.subscribed(subscription.topic, subscription.qos);
      return subscription;
    }
    this.#problem(client.id, { code: 'topic-refused', message: 'expected one of the device’s own topics in SUBSCRIBE, got another' });
    return null;
  }

  #onConnectionError(client: Client, error: Error): void {
    if (!(error instanceof PacketRefused)) return;
    const problem: BrokerProblem = { code: 'packet-refused', message: error.message };
    const deviceId = this.#connections.of(client)?.deviceId;
    if (deviceId === undefined) this.#problems.add({ address: this.#connections.of(client)?.address ?? 'unknown' }, problem);
    else this.#problem(deviceId, problem);
  }

  #problem(deviceId: string, problem: BrokerProblem): void {
    this.#problems.add({ deviceId }, problem);
    if (this.#closing === undefined) this.#settings.hooks.onProblem?.(deviceId, problem);
  }
}
