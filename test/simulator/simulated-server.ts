/**
 * One life of the fleet server: all of its domains on a store that outlives it, with its own inbox and its own queue for each device.
 * Aedes and the sockets are left out: a link (link.ts) carries messages as the broker would hand them on, and a QoS 1 message is
 * acknowledged when the server has dealt with it.
 */
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type {} from '#fleet-server/alerts/plugin.ts';
import { registerDomains } from '#fleet-server/api.ts';
import type {} from '#fleet-server/audit/plugin.ts';
import type { Connection } from '#fleet-server/broker/connection-table.ts';
import type { DeviceBroker, PublishOutcome, UpwardMessage } from '#fleet-server/broker/contract.ts';
import { Inbox } from '#fleet-server/broker/inbox.ts';
import { PublishQueue } from '#fleet-server/broker/publish-queue.ts';
// What each plugin decorates the app with.
import type {} from '#fleet-server/commands/plugin.ts';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import { enrol } from '#fleet-server/enrolment/enrol.ts';
import { JoinTokens } from '#fleet-server/enrolment/join-tokens.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type {} from '#fleet-server/health/plugin.ts';
import { createServer } from '#fleet-server/http/server.ts';
import type {} from '#fleet-server/logs/plugin.ts';
import type {} from '#fleet-server/rollouts/plugin.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { registerWatchdog } from '#fleet-server/watchdog/register.ts';
import { type DownwardBody, type DownwardName, encodeDownward } from '#protocol/envelope.ts';
import { parseTopic, topicFor } from '#protocol/topics.ts';
import { bodies } from '../fleet-server/bodies.ts';
import { standInRelay } from '../fleet-server/stand-in-relay.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { Sabotage } from './sabotage.ts';
import type { SimulatedChannel } from './simulated-channel.ts';
import { deadError, type SimulatedDatabase } from './simulated-database.ts';
import { spoilOperations, spoiltTelling, watchdogsView } from './spoilt-operations.ts';
import { serverClock, type VirtualTime, type WallClock } from './virtual-time.ts';

/** The keepalive of 10 s times 1.5. */
export const keepaliveEndsMs = 15_000;
/** As the relay's statistics are read. */
const relayPollMs = 500;

export type ServerParts = {
  readonly time: VirtualTime;
  readonly wall: WallClock;
  readonly random: Random;
  readonly database: SimulatedDatabase;
  readonly secrets: Secrets;
  readonly sabotage: Sabotage | null;
  readonly onLog: (line: string) => void;
  /** Where notices of alerts arrive. */
  readonly channel: SimulatedChannel;
  /** Whom the relay receives: it lives on when the server ends. */
  readonly isPublishing: (deviceId: string) => boolean;
  readonly isRelayDown: () => boolean;
};

/** The device's end of a link, as the server calls it. */
export type DeviceEnd = { readonly link: Link; receive(topic: string, payload: Buffer): void };

type Guest = {
  readonly deviceId: string;
  readonly end: DeviceEnd;
  readonly will: { readonly topic: string; readonly payload: Buffer };
  /** What the inbox tells connections apart by. */
  readonly connection: Connection;
  readonly queue: PublishQueue;
  heardAtMs: number;
  readonly acceptedAtMs: number;
};

export class SimulatedServer implements DeviceBroker {
  readonly #parts: ServerParts;
  readonly app: FastifyInstance;
  readonly #inbox: Inbox;
  readonly #guests = new Map<Link, Guest>();
  readonly #byDevice = new Map<string, Guest>();
  /** When the last connection of a device was closed in this life. */
  readonly closedAtMs = new Map<string, number>();
  readonly startedAtMs: number;
  /** By its own clock. */
  readonly wallAtStartMs: number;
  readonly #received = new Set<string>();
  /** Ids of commands that went out since somebody looked. */
  sentCommands: string[] = [];
  #isAlive = true;
  #stepsLeft: number | null = null;
  #onDeath: () => void = () => undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.startedAtMs = parts.time.nowMs;
    this.wallAtStartMs = parts.time.nowMs + parts.wall.offsetMs;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        parts.onLog(chunk.toString());
        done();
      },
    });
    this.app = createServer({ logger: { level: 'info', stream }, checkAnswers: false });
    this.#inbox = new Inbox(
      {
        authenticate: () => true,
        handleUpward: (message) => this.#route(message),
        onPicture: () => undefined,
        onConnection: () => undefined,
      },
      this.#clock(),
      (deviceId, problem) => {
        this.app.log.warn({ deviceId, code: problem.code }, problem.message);
        void this.app.history.appendProblem(deviceId, problem);
      },
    );
  }

  /** Rejects when it is killed meanwhile. */
  async start(): Promise<this> {
    const { database, secrets } = this.#parts;
    this.app.decorate('broker', this as never);
    const relay = standInRelay();
    const state: typeof relay.state = () => (this.#parts.isRelayDown() ? { ...relay.state(), kind: 'restarting' } : relay.state());
    this.app.decorate('relay', { ...relay, state });
    const configuration = {
      publicUrl: null,
      rtmpPort: 1935,
      publicRtmpPort: 1935,
      databaseUrl: null,
      serverUrl: 'http://fleet.local',
      tls: null,
      externalBroker: null,
      writesPerMinute: 1_000_000,
    };
    const store = database.open(() => this.#step());
    const clock = this.#clock();
    const { channel, sabotage } = this.#parts;
    const tell = spoiltTelling(sabotage, (target, notice) => {
      const at = target.kind === 'webhook' ? target.url : target.kind;
      return channel.tell({ life: this.startedAtMs, at, isAlive: () => this.#isAlive }, notice);
    });
    await registerDomains(this.app, { configuration, store, secrets, clock, tell });
    if (sabotage !== null) spoilOperations(this.app, sabotage, database, clock);
    if (sabotage !== 'watchdog asleep') await registerWatchdog(watchdogsView(this.app, sabotage), clock);
    await this.app.ready();
    clock.every(relayPollMs, () => this.#readRelay());
    if (this.#parts.sabotage === 'gone at once after a restart of the server') {
      for (const { id } of this.app.devices.list()) this.app.devices.onConnection(id, 'disconnected', 'connection-lost');
    }
    return this;
  }

  /** What its clock shows. */
  wallMs(): number {
    return this.#clock().nowMs();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Called when it has ended by `killAfter`. */
  onDeath(listener: () => void): void {
    this.#onDeath = listener;
  }

  /** Ends it before or after the statement at which so many have passed: kill -9 at a moment that nobody chose. */
  killAfter(steps: number | null): void {
    this.#stepsLeft = steps;
  }

  /** Its own reason: a full disk, which a supervisor answers with another try. Anything else is a fault. */
  failedToStart(cause: unknown): void {
    this.kill(false);
    if (!(cause instanceof FleetError && cause.code === 'store-full')) throw cause;
    this.#onDeath();
  }

  /** Adds a device by a join token of its own. */
  async join(name: string, group: string): Promise<{ readonly deviceId: string; readonly credential: string }> {
    const { app } = this;
    const clock = this.#clock();
    const joinTokens = new JoinTokens({ database: app.store.database, secrets: app.secrets, clock, audit: app.audit });
    const { token } = await joinTokens.create({ group }, 'admin');
    return enrol(app, joinTokens, clock, { joinToken: token, name });
  }

  /** With a goodbye to nobody: what it was doing is not done. `isHostDead`: not even its sockets are closed. */
  kill(isHostDead: boolean): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#parts.database.rollBack();
    for (const { end } of this.#guests.values()) {
      if (isHostDead) end.link.fallSilent(['up', 'down']);
      else end.link.close('server', 'the server was killed');
    }
  }

  /** As SIGTERM does. */
  async stop(): Promise<void> {
    const closed = this.app.close();
    this.#parts.channel.interrupt(this.startedAtMs);
    await closed;
    this.kill(false);
  }

  connect(end: DeviceEnd, who: { readonly deviceId: string; readonly credential: string; readonly will: Guest['will'] }): boolean {
    const { deviceId, will } = who;
    if (!this.app.devices.rights.authenticate(deviceId, who.credential)) return false;
    const { link } = end;
    const send = (name: DownwardName, payload: string): Promise<void> => {
      if (!this.#isAlive || !link.isOpen.server) return Promise.reject(new Error('the connection is gone'));
      link.send('down', () => end.receive(topicFor(deviceId, name), Buffer.from(payload)));
      return Promise.resolve();
    };
    const queue = new PublishQueue(send, () => link.close('server', 'overflow'));
    if (this.#parts.sabotage === 'credential logged') this.app.log.info({ deviceId, credential: who.credential }, 'let in');
    const nowMs = this.#parts.time.nowMs;
    const guest: Guest = { deviceId, end, will, connection: {} as Connection, queue, heardAtMs: nowMs, acceptedAtMs: nowMs };
    const older = this.#byDevice.get(deviceId);
    this.#guests.set(link, guest);
    this.#byDevice.set(deviceId, guest);
    older?.queue.close();
    older?.end.link.close('server', 'taken-over');
    this.app.devices.onConnection(deviceId, 'connected', older === undefined ? 'accepted' : 'taken-over');
    if (this.#parts.sabotage === 'connection not shown') this.app.devices.onConnection(deviceId, 'disconnected', 'connection-lost');
    if (this.#parts.sabotage !== 'silent connection not noticed') this.#watch(guest, keepaliveEndsMs);
    return true;
  }

  /** Any packet is a sign of life. */
  heard(link: Link): void {
    const guest = this.#guests.get(link);
    if (guest !== undefined) guest.heardAtMs = this.#parts.time.nowMs;
  }

  /** Resolves when the message may be acknowledged. */
  async receive(link: Link, topic: string, payload: string): Promise<void> {
    const guest = this.#guests.get(link);
    if (guest === undefined || !this.#isAlive) return new Promise(() => undefined);
    this.heard(link);
    if ((await this.#take(guest, topic, Buffer.from(payload), false)) !== undefined) link.close('server', 'refused');
  }

  /** The server's end of a link is closed. */
  closed(link: Link, reason: string): void {
    const guest = this.#guests.get(link);
    if (guest === undefined || !this.#isAlive) return;
    this.#guests.delete(link);
    guest.queue.close();
    if (this.#byDevice.get(guest.deviceId) === guest) {
      this.#byDevice.delete(guest.deviceId);
      this.closedAtMs.set(guest.deviceId, this.#parts.time.nowMs);
      if (this.#parts.sabotage === 'closed connection not noticed') return;
      this.app.devices.onConnection(guest.deviceId, 'disconnected', reason);
    }
    if (reason === 'goodbye') return;
    this.#parts.time.after(this.#parts.random.between(0, 30), () => {
      if (this.#isAlive) void this.#take(guest, guest.will.topic, guest.will.payload, true);
    });
  }

  /** Of the connection that counts. */
  guestOf(deviceId: string): { readonly link: Link; readonly heardAtMs: number; readonly acceptedAtMs: number } | null {
    const guest = this.#byDevice.get(deviceId);
    return guest === undefined ? null : { link: guest.end.link, heardAtMs: guest.heardAtMs, acceptedAtMs: guest.acceptedAtMs };
  }

  async publish<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>): Promise<PublishOutcome> {
    if (!this.#isAlive) return 'offline';
    if (name === 'desired' && this.#parts.sabotage === 'newest settings not sent') return 'sent';
    if (name === 'command') this.sentCommands.push((body as DownwardBody<'command'>).id);
    const payload = encodeDownward(name, { sentAt: new Date(this.#clock().nowMs()).toISOString(), body });
    return (await this.#byDevice.get(deviceId)?.queue.publish(name, payload)) ?? 'offline';
  }

  disconnect(deviceId: string): void {
    this.#byDevice.get(deviceId)?.end.link.close('server', 'revoked');
  }

  isConnected(deviceId: string): boolean {
    return this.#byDevice.has(deviceId);
  }

  async admit(): Promise<void> {}

  readonly isShared = false;
  readonly deviceUrl = null;

  problem(): null {
    return null;
  }

  port(): number {
    return 1883;
  }

  figures(): ReturnType<DeviceBroker['figures']> {
    return { connections: this.#byDevice.size, messagesReceived: 0, messagesSent: 0, problems: 0, ingest: this.#inbox.ingest.figures() };
  }

  async #route(message: UpwardMessage): Promise<void> {
    if (message.name === 'event' && this.#parts.sabotage === 'event acknowledged before it is stored') {
      await this.publish(message.deviceId, 'event-ack', { upToNumber: message.envelope.body.number });
      return;
    }
    if (message.name === 'event' && this.#parts.sabotage === 'event stored each time it comes') {
      const { kind, detail } = message.envelope.body;
      await this.app.history.append({ deviceId: message.deviceId, origin: 'device', kind, detail });
    }
    await routeUpward(this.app, message);
  }

  async #take({ connection, deviceId }: Guest, topic: string, payload: Buffer, isWill: boolean): Promise<Error | undefined> {
    const parsed = parseTopic(topic);
    return parsed?.way === 'up' ? this.#inbox.take({ connection, deviceId, name: parsed.name, payload, isWill }) : undefined;
  }

  #watch(guest: Guest, inMs: number): void {
    this.#parts.time.after(inMs, () => {
      if (!this.#isAlive || !guest.end.link.isOpen.server) return;
      const leftMs = guest.heardAtMs + keepaliveEndsMs - this.#parts.time.nowMs;
      if (leftMs > 0) this.#watch(guest, leftMs);
      else guest.end.link.close('server', 'keepalive-timeout');
    });
  }

  #clock() {
    return serverClock(this.#parts.time, this.#parts.wall, () => this.#isAlive);
  }

  #readRelay(): void {
    for (const { id } of this.app.devices.list()) {
      const isReceived = this.#parts.isPublishing(id);
      if (isReceived === this.#received.has(id)) continue;
      if (isReceived) this.#received.add(id);
      else this.#received.delete(id);
      this.app.devices.setReception(id, isReceived ? bodies.reception : null);
    }
  }

  #step(): void {
    if (!this.#isAlive) throw deadError();
    if (this.#stepsLeft === null) return;
    this.#stepsLeft -= 1;
    if (this.#stepsLeft > 0) return;
    this.kill(false);
    this.#onDeath();
    throw deadError();
  }
}
