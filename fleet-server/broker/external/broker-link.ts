/**
 * One connection to an external broker, made again for ever when it ends. MQTT.js would do so without jitter and keep what was not
 * sent: so a client lives as long as its connection, and nothing outlives it.
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type IConnackPacket, MqttClient } from 'mqtt';
import type { BrokerAddress } from '#fleet-server/broker/external/broker-address.ts';
import { PublishWindow } from '#fleet-server/broker/external/publish-window.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';

export type BrokerLinkOptions = {
  readonly address: BrokerAddress;
  readonly clientId: string;
  /** The authority under the broker's certificate; null: those that Node knows. Read for each connection. */
  readonly caFile: string | null;
  readonly maxPacketBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly subscriptions: readonly string[];
  /** After the subscriptions were granted; the link counts as open when it resolves. */
  onOpen(): Promise<void> | void;
  /** `ready` is called when the next message may come. */
  onMessage(topic: string, payload: Buffer, ready: () => void): void;
  /** After it was open. */
  onLost(): void;
};

export const linkPolicy = { firstDelayMs: 250, maxDelayMs: 15_000, answerMs: 10_000, keepaliveS: 10, goodbyeMs: 500 } as const;

export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  readonly #window = new PublishWindow();
  #client: MqttClient | null = null;
  #problem: string | null = 'The connection to the MQTT broker has not been made yet.';
  #saidProblem = '';
  #isOpen = false;
  #attempt = 0;
  #isStopped = false;
  #cancels = new Set<() => void>();

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** In words; null while the link is open. */
  problem(): string | null {
    return this.#problem;
  }

  /** Goes on by itself. */
  start(): void {
    if (this.#client === null && !this.#isStopped) this.#connect();
  }

  /** Says goodbye; half a second at most. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    const client = this.#client;
    this.#client = null;
    this.#isOpen = false;
    this.#window.close();
    if (client === null) return;
    let cancel = (): void => undefined;
    await Promise.race([
      new Promise<void>((resolve) => client.end(false, () => resolve())),
      new Promise<void>((resolve) => {
        cancel = this.#options.clock.after(linkPolicy.goodbyeMs, resolve);
      }),
    ]);
    cancel();
    client.end(true);
    client.stream.destroy();
  }

  /** With QoS 1. False when it was not sent, for whatever reason: nothing is kept. */
  publish(topic: string, payload: string): Promise<boolean> {
    return this.#window.publish(topic, payload);
  }

  #connect(): void {
    const { address, clientId, clock, maxPacketBytes } = this.#options;
    let client: MqttClient;
    try {
      const trust = this.#trust();
      client = new MqttClient(() => openStream(address, trust), {
        clientId,
        username: address.username,
        password: address.password,
        protocolVersion: 5,
        clean: true,
        keepalive: linkPolicy.keepaliveS,
        properties: { maximumPacketSize: maxPacketBytes, receiveMaximum: 1000 },
        reconnectPeriod: 0,
        connectTimeout: linkPolicy.answerMs,
        resubscribe: false,
        queueQoSZero: false,
      });
    } catch (cause) {
      this.#lose(null, cause);
      return;
    }
    this.#client = client;
    const cancelTimeout = clock.after(linkPolicy.answerMs, () => this.#lose(client, new Error('no answer in time')));
    this.#cancels.add(cancelTimeout);
    client.handleMessage = (packet, done) => {
      const { payload } = packet;
      this.#options.onMessage(packet.topic, typeof payload === 'string' ? Buffer.from(payload) : payload, () => done());
    };
    client.on('error', (error) => this.#lose(client, error));
    client.on('close', () => this.#lose(client, new Error('the connection was closed')));
    client.on('disconnect', ({ reasonCode }) =>
      this.#lose(client, new Error(`the broker ended the connection (reason ${reasonCode ?? 0})`)),
    );
    client.on('connect', (connack) => {
      this.#settle(client, connack)
        .catch((cause: unknown) => this.#lose(client, cause))
        .finally(() => {
          cancelTimeout();
          this.#cancels.delete(cancelTimeout);
        });
    });
  }

  async #settle(client: MqttClient, connack: IConnackPacket): Promise<void> {
    const { subscriptions, log, address } = this.#options;
    if (subscriptions.length > 0) {
      const granted = await client.subscribeAsync([...subscriptions], { qos: 1 });
      const refused = granted.find(({ qos }) => qos !== 1);
      if (refused !== undefined) throw new Error(`the broker refuses the subscription to ${refused.topic}`);
    }
    if (this.#client !== client) return;
    this.#window.open(
      (topic, payload) => client.publishAsync(topic, payload, { qos: 1 }),
      connack.properties?.receiveMaximum ?? Number.POSITIVE_INFINITY,
    );
    await this.#options.onOpen();
    if (this.#client !== client) return;
    this.#isOpen = true;
    this.#attempt = 0;
    this.#problem = null;
    this.#saidProblem = '';
    log.info({ host: address.host, port: address.port }, 'connected to the MQTT broker');
  }

  /** The client's own error texts name hosts and reasons, never a password. */
  #lose(client: MqttClient | null, cause: unknown): void {
    if (this.#client !== client || this.#isStopped) return;
    const { address, clock, random, log, onLost } = this.#options;
    this.#client = null;
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    this.#window.close();
    client?.end(true);
    client?.stream.destroy();
    const reason = cause instanceof Error && cause.message !== '' ? cause.message : errorCode(cause);
    this.#problem = `The MQTT broker at ${address.host}:${address.port} cannot be used: ${reason}.`;
    // Each thing once, not with each attempt.
    if (this.#problem !== this.#saidProblem)
      log.warn({ host: address.host, port: address.port, reason }, 'no connection to the MQTT broker; trying again');
    this.#saidProblem = this.#problem;
    if (wasOpen) onLost();
    const delayMs = Math.min(linkPolicy.maxDelayMs, linkPolicy.firstDelayMs * 2 ** Math.min(this.#attempt, 10)) * (0.5 + random());
    this.#attempt += 1;
    const cancel = clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      if (!this.#isStopped) this.#connect();
    });
    this.#cancels.add(cancel);
  }

  #trust(): { readonly ca?: string } {
    const { caFile } = this.#options;
    if (caFile === null) return {};
    try {
      return { ca: readFileSync(caFile, 'utf8') };
    } catch (cause) {
      throw new Error(`FLEET_MQTT_CA_FILE cannot be read (${errorCode(cause)})`, { cause });
    }
  }
}

function openStream(address: BrokerAddress, trust: { readonly ca?: string }): MqttClient['stream'] {
  const { host, port } = address;
  if (!address.isTls) return connectTcp({ host, port, noDelay: true });
  // An IP address is no server name (RFC 6066, section 3).
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...trust });
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error';
}
