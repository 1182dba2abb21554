/**
 * The way to the fleet server and back: joins, connects, says who is here, sends what waits and hands on what comes. It goes
 * on for ever, whatever the server answers; the stream of pictures never depends on it.
 *
 * INVARIANTS
 * - One message with an acknowledgement is under way at a time, so that their order is the order of their sequence numbers.
 * - Nothing waits anywhere but in the outbox and in the journals, all bounded.
 */
import { type Log, RepeatedFailures } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { errorText } from '#device/state/state-directory.ts';
import type { BrokerLocation } from '#device/uplink/broker-location.ts';
import type { Credentials } from '#device/uplink/credentials.ts';
import type { ReadTrust } from '#device/uplink/fleet-trust.ts';
import { type ConnectionEnd, type ConnectionOptions, MqttConnection } from '#device/uplink/mqtt-connection.ts';
import type { Outbox } from '#device/uplink/outbox.ts';
import type { SessionCounter } from '#device/uplink/session-counter.ts';
import { wait } from '#device/uplink/wait.ts';
import { decodeDesired, decodeDownward, encodeUpward, type UpwardBody, type UpwardName } from '#protocol/envelope.ts';
import type { Session } from '#protocol/identifiers.ts';
import type { Command, CommandProgress, UnjudgedDesired } from '#protocol/messages.ts';
import { downwardTopics, parseTopic, topicFor, upwardTopics } from '#protocol/topics.ts';

/** One connection, from its first packet to its end. */
export type UplinkConnection = Pick<MqttConnection, 'open' | 'subscribe' | 'publish' | 'publishLossy' | 'close' | 'abort' | 'ended'>;

export type UplinkOptions = {
  readonly fleetUrl: string;
  /** MQTT over WebSocket unless told. */
  readonly makeConnection?: (options: ConnectionOptions) => UplinkConnection;
  readonly trust?: ReadTrust;
  /** Asks where to connect, when that is no longer known. */
  readonly location?: BrokerLocation;
  /** Joins when need be; null when the signal ended it. */
  readonly credentials: (signal: AbortSignal) => Promise<Credentials | null>;
  readonly sessions: Pick<SessionCounter, 'next' | 'giveBack'>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly policy: BackOffPolicy;
  readonly hello: () => UpwardBody<'hello'>;
  readonly onJoined: (credentials: Credentials) => void;
  /** The server has let us in with a credential that had a former one beside it. */
  readonly onProven: (credentials: Credentials) => void;
  readonly onOnline: () => void;
  readonly onDesired: (desired: UnjudgedDesired) => void;
  /** `timeLeftMs` is reckoned by the server's clock alone: a Pi without network has the wrong time. */
  readonly onCommand: (command: Command, timeLeftMs: number) => void;
  readonly onEventAck: (upToNumber: number) => void;
};

/** A connection that held this long has proved the server well: the next back-off begins anew. */
const steadyMs = 10_000;
/** Without word from the server for so long, unacknowledged events are sent again. */
const eventAckTimeoutMs = 30_000;

export const connectionPolicy: BackOffPolicy = { firstMs: 500, factor: 2, capMs: 30_000, jitter: 0.5 };

type Link = { readonly connection: UplinkConnection; readonly deviceId: string; readonly session: Session };

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #stopping = new AbortController();
  readonly #failures = new RepeatedFailures();
  #running: Promise<void> | null = null;
  /** Let in by the server, from the first packet on. */
  #open: Link | null = null;
  /** Has said who it is: the one over which the outbox is sent. */
  #link: Link | null = null;
  /** Over which a server has asked to be told how far commands are: another one may be older, and would end the connection. */
  #progressLink: Link | null = null;
  #isLeaving = false;
  #sequence = 0;
  #isPumping = false;
  #credentials: Credentials | null = null;
  /** With the one before, because the server has refused the new one. */
  #tryFormer = false;
  /** What is on the link yet is the former credential’s. */
  #isRenewalDue = false;
  #cancelEventTimer: (() => void) | null = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Says goodbye and ends; two seconds at most. May be called twice. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#isLeaving = true;
      if (this.#open !== null) await this.#sayGoodbye(this.#open);
      this.#stopping.abort();
    }
    await this.#running;
  }

  get isOnline(): boolean {
    return this.#link !== null;
  }

  /** Something new is in the outbox. */
  wake(): void {
    if (this.#link !== null) this.#pump(this.#link);
  }

  /** Null until the device has joined. */
  credentials(): Credentials | null {
    return this.#credentials;
  }

  /** Used from the next connection on, which is made as soon as the server has been told that the device has it. */
  renew(credentials: Credentials): void {
    this.#credentials = credentials;
    this.#tryFormer = false;
    this.#isRenewalDue = true;
  }

  /** False when nobody could be told. */
  sendHealth(body: UpwardBody<'health'>): boolean {
    const link = this.#link;
    return link?.connection.publishLossy(topicFor(link.deviceId, 'health'), this.#encode('health', link.session, body)) ?? false;
  }

  /** Dropped when nobody can have it now, or wants it: it is said again while the command is being done. */
  sendCommandProgress(body: CommandProgress): void {
    const link = this.#link;
    if (link === null || link !== this.#progressLink || this.#isLeaving) return;
    link.connection.publishLossy(topicFor(link.deviceId, 'command-progress'), this.#encode('command-progress', link.session, body));
  }

  /** Dropped when nobody can have them now. */
  sendLog(lines: readonly string[]): void {
    const link = this.#link;
    if (link === null) return;
    const payload = this.#encode('log', link.session, { lines: [...lines] });
    if (Buffer.byteLength(payload) <= upwardTopics.log.maxBytes) link.connection.publishLossy(topicFor(link.deviceId, 'log'), payload);
  }

  /** Dropped when nobody can have it now, or when it is larger than the protocol allows. */
  sendPreview(jpeg: Buffer): void {
    const link = this.#link;
    if (link === null || jpeg.byteLength > upwardTopics.preview.maxBytes) return;
    link.connection.publishLossy(topicFor(link.deviceId, 'preview'), jpeg);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, policy, log } = this.#options;
    const credentials = await this.#options.credentials(signal);
    if (credentials === null) return;
    this.#credentials = credentials;
    this.#options.onJoined(credentials);
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const startedMs = clock.monotonicMs();
      try {
        const wasOnline = await this.#connectOnce(this.#credentials, signal);
        if (wasOnline && clock.monotonicMs() - startedMs >= steadyMs) attempt = 1;
      } catch (cause) {
        const message = this.#failures.note(`cannot connect to the fleet server: ${errorText(cause)}`);
        if (message !== undefined) log.warn(message);
      }
      await wait(clock, backOffDelay(policy, attempt, random()), signal);
    }
  }

  /** True when the server let us in. */
  async #connectOnce(credentials: Credentials, signal: AbortSignal): Promise<boolean> {
    const { deviceId } = credentials;
    const location = this.#options.location ?? null;
    const withFormer = this.#tryFormer && credentials.former !== undefined;
    const credential = withFormer ? (credentials.former ?? credentials.credential) : credentials.credential;
    this.#isRenewalDue = false;
    const trust = this.#options.trust?.() ?? {};
    const located = (await location?.before(credentials, credential, signal)) ?? credentials;
    if (this.#credentials === credentials) this.#credentials = located;
    if (signal.aborted) return false;
    const session = await this.#options.sessions.next();
    if (signal.aborted) return false;
    // The will is the last word of this session, and is written before its first: its sequence number is above all others.
    const will = encodeUpward('presence', {
      session,
      sequence: Number.MAX_SAFE_INTEGER,
      sentAt: this.#now(),
      body: { state: 'offline', reason: 'connection-lost' },
    });
    const { makeConnection = (given) => new MqttConnection(given) } = this.#options;
    const connection = makeConnection({
      url: located.mqttUrl ?? `${this.#options.fleetUrl.replace(/^http/, 'ws')}/mqtt`,
      clientId: deviceId,
      password: credential,
      ...trust,
      will: { topic: topicFor(deviceId, 'presence'), payload: will },
      clock: this.#options.clock,
      onMessage: (topic, payload) => this.#receive(deviceId, topic, payload),
    });
    const abort = (): void => connection.abort('the agent stops');
    signal.addEventListener('abort', abort, { once: true });
    this.#sequence = 0;
    const link: Link = { connection, deviceId, session };
    let wasOnline = false;
    try {
      if (await connection.open()) {
        wasOnline = true;
        this.#open = link;
        if (!withFormer && located.former !== undefined) this.#prove(located);
        await this.#greet(link);
      }
    } catch (cause) {
      connection.abort(errorText(cause));
    }
    const end = await connection.ended;
    signal.removeEventListener('abort', abort);
    this.#open = null;
    this.#link = null;
    this.#progressLink = null;
    this.#cancelEventTimer?.();
    this.#cancelEventTimer = null;
    location?.note(end, located);
    if (!end.hasReachedServer) this.#options.sessions.giveBack();
    // A server that was restored from a copy knows the former one: they are tried in turn.
    if (end.isRefused && credentials.former !== undefined) this.#tryFormer = !this.#tryFormer;
    if (!signal.aborted && !this.#isLeaving) this.#sayWhyItEnded(end, wasOnline);
    return wasOnline;
  }

  #prove(credentials: Credentials): void {
    const { former: _former, ...proven } = credentials;
    if (this.#credentials === credentials) this.#credentials = proven;
    this.#options.onProven(credentials);
  }

  async #greet(link: Link): Promise<void> {
    const { connection, deviceId } = link;
    // Subscribed first: what the server answers to hello must find an ear.
    await connection.subscribe(Object.keys(downwardTopics).map((name) => topicFor(deviceId, name as keyof typeof downwardTopics)));
    // Nothing may be said after the goodbye.
    if (this.#isLeaving) return;
    await this.#publish(link, 'presence', { state: 'online', reason: 'connected' });
    if (this.#isLeaving) return;
    await this.#publish(link, 'hello', this.#options.hello());
    if (this.#isLeaving) return;
    this.#options.outbox.rewindEvents();
    this.#options.outbox.dropSnapshot();
    this.#link = link;
    this.#failures.clear();
    this.#options.log.info(`connected to the fleet server as ${deviceId} (session ${link.session.counter})`);
    this.#options.onOnline();
    this.#pump(link);
  }

  #sayWhyItEnded(end: ConnectionEnd, wasOnline: boolean): void {
    const reason = end.isRefused
      ? `the fleet server refuses this device’s credential (${end.reason}): the device was removed there, or the server is another one. ` +
        'To join again, remove credentials.json from the state directory. Trying again'
      : `${wasOnline ? 'connection to the fleet server lost' : 'cannot connect to the fleet server'}: ${end.reason}; trying again`;
    const message = this.#failures.note(reason);
    if (message !== undefined) this.#options.log.warn(message);
  }

  async #sayGoodbye(link: Link): Promise<void> {
    const { clock } = this.#options;
    const bound = new AbortController();
    const goodbye = this.#publish(link, 'presence', { state: 'offline', reason: 'stopping' }).catch(() => undefined);
    await Promise.race([goodbye, wait(clock, 1000, bound.signal)]);
    bound.abort();
    await link.connection.close();
  }

  /** Sends what waits, one after the other, until nothing does. One pump a link. */
  #pump(link: Link): void {
    if (this.#isPumping || link !== this.#link) return;
    this.#isPumping = true;
    this.#drain(link)
      .catch((cause: unknown) => {
        // The connection ended in the middle: what was not acknowledged still waits in the outbox.
        this.#options.log.debug(`sending stopped: ${errorText(cause)}`);
      })
      .finally(() => {
        this.#isPumping = false;
        // The next link may have come up while this one still waited for its end.
        if (this.#link !== null && this.#link !== link) this.#pump(this.#link);
      });
  }

  async #drain(link: Link): Promise<void> {
    const { outbox } = this.#options;
    for (let message = outbox.next(); message !== undefined && link === this.#link && !this.#isLeaving; message = outbox.next()) {
      switch (message.name) {
        case 'applied':
          await this.#publish(link, message.name, message.body);
          break;
        case 'command-result':
          await this.#publish(link, message.name, message.body);
          break;
        case 'snapshot':
          await link.connection.publish(topicFor(link.deviceId, 'snapshot'), message.body);
          break;
        case 'event':
          await this.#publish(link, message.name, message.body);
          break;
        case 'report':
          await this.#publish(link, message.name, message.body);
          break;
        case 'health-backlog':
          await this.#publish(link, message.name, message.body);
          break;
        default:
          message satisfies never;
      }
      outbox.sent(message);
      if (message.name === 'command-result' && this.#isRenewalDue) {
        await link.connection.close();
        return;
      }
    }
    if (outbox.hasUnacknowledgedEvents()) this.#awaitEventAck();
  }

  #awaitEventAck(): void {
    this.#cancelEventTimer ??= this.#options.clock.schedule(() => {
      this.#cancelEventTimer = null;
      this.#options.outbox.rewindEvents();
      this.wake();
    }, eventAckTimeoutMs);
  }

  async #publish<N extends UpwardName>(link: Link, name: N, body: UpwardBody<N>): Promise<void> {
    const payload = this.#encode(name, link.session, body);
    const { maxBytes } = upwardTopics[name];
    const bytes = Buffer.byteLength(payload);
    if (bytes > maxBytes) {
      // The server would refuse it and with it the connection: better one message less than none at all.
      this.#options.log.error(`${name} is left out: expected at most ${maxBytes} bytes, got ${bytes}`);
      return;
    }
    await link.connection.publish(topicFor(link.deviceId, name), payload);
  }

  #encode<N extends UpwardName>(name: N, session: Session, body: UpwardBody<N>): string {
    this.#sequence += 1;
    return encodeUpward(name, { session, sequence: this.#sequence, sentAt: this.#now(), body });
  }

  #receive(deviceId: string, topic: string, payload: Buffer): void {
    const parsed = parseTopic(topic);
    if (parsed === undefined || parsed.way !== 'down' || parsed.deviceId !== deviceId) {
      this.#options.log.warn('a message on a topic that this device does not read was ignored');
      return;
    }
    switch (parsed.name) {
      case 'desired':
        this.#receiveDesired(payload);
        break;
      case 'command':
        this.#receiveCommand(payload);
        break;
      case 'event-ack':
        this.#receiveEventAck(payload);
        break;
      default:
        parsed satisfies never;
    }
  }

  #receiveDesired(payload: Buffer): void {
    const decoded = decodeDesired(payload);
    if (decoded.kind === 'problem') this.#sayProblem('desired', decoded.message);
    else this.#options.onDesired(decoded.envelope.body);
  }

  #receiveCommand(payload: Buffer): void {
    const decoded = decodeDownward('command', payload);
    if (decoded.kind === 'problem') {
      this.#sayProblem('command', decoded.message);
      return;
    }
    const { sentAt, body } = decoded.envelope;
    if (body.tellProgress === true) this.#progressLink = this.#open;
    this.#options.onCommand(body, Date.parse(body.deadline) - Date.parse(sentAt));
  }

  #receiveEventAck(payload: Buffer): void {
    const decoded = decodeDownward('event-ack', payload);
    if (decoded.kind === 'problem') {
      this.#sayProblem('event-ack', decoded.message);
      return;
    }
    this.#cancelEventTimer?.();
    this.#cancelEventTimer = null;
    this.#options.onEventAck(decoded.envelope.body.upToNumber);
    if (this.#options.outbox.hasUnacknowledgedEvents()) this.#awaitEventAck();
  }

  #sayProblem(name: string, message: string): void {
    this.#options.log.warn(`a ${name} message was ignored: ${message}`);
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
