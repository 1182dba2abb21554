/**
 * A broker elsewhere, of which this server is a client: the devices are clients of it too, and belong to no server.
 *
 * INVARIANTS
 * - Each message of a device reaches one server (shared subscriptions), log lines all; what is retained is no message of ours.
 * - Nothing rests in the broker: a clean session, nothing retained, nothing kept while the connection is away.
 * - Which device it is follows from the topic alone: the broker lets each write only its own (device-access.ts).
 */
import { randomUUID } from 'node:crypto';
import type { BrokerFigures, BrokerHooks, BrokerProblem, DeviceBroker, PublishOutcome } from '#fleet-server/broker/contract.ts';
import { type BrokerAddress, deviceUrlOf } from '#fleet-server/broker/external/broker-address.ts';
import { BrokerLink } from '#fleet-server/broker/external/broker-link.ts';
import type { DeviceAccess } from '#fleet-server/broker/external/device-access.ts';
import { UpwardIntake } from '#fleet-server/broker/external/upward-intake.ts';
import { ProblemLog } from '#fleet-server/broker/problem-log.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import { type DownwardBody, type DownwardName, encodeDownward } from '#protocol/envelope.ts';
import { downwardTopics, maxPacketBytes, serverSubscriptions, topicFor } from '#protocol/topics.ts';

export type ExternalBrokerHooks = Pick<BrokerHooks, 'handleUpward' | 'onPicture' | 'onProblem'> & {
  /** Whether the device is shown as online. */
  isOnline(deviceId: string): boolean;
  /** How many are. */
  onlineCount(): number;
  /** Whether devices can be heard from here. */
  onWire(state: 'open' | 'lost'): void;
};

export type ExternalBrokerSettings = {
  readonly address: BrokerAddress;
  /** As devices reach it, when that is another one. */
  readonly deviceUrl: string | null;
  readonly caFile: string | null;
  readonly access: DeviceAccess;
  readonly hooks: ExternalBrokerHooks;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
};

export class ExternalBroker implements DeviceBroker {
  readonly isShared = true;
  readonly deviceUrl: string;
  readonly #settings: ExternalBrokerSettings;
  readonly #link: BrokerLink;
  readonly #intake: UpwardIntake;
  readonly #problems: ProblemLog;
  #messagesSent = 0;
  #isClosing = false;

  constructor(settings: ExternalBrokerSettings) {
    const { address, caFile, clock, random, log, hooks } = settings;
    this.#settings = settings;
    this.deviceUrl = settings.deviceUrl ?? deviceUrlOf(address);
    this.#problems = new ProblemLog(log, clock);
    this.#intake = new UpwardIntake({
      ...{ hooks, clock },
      onProblem: (deviceId, problem) => this.#problem(deviceId, problem),
      onFlood: (deviceId) => void settings.access.cut(deviceId),
    });
    this.#link = new BrokerLink({
      ...{ address, caFile, clock, random, log, maxPacketBytes },
      clientId: `makespacelive-server-${randomUUID()}`,
      subscriptions: serverSubscriptions(),
      onOpen: () => hooks.onWire('open'),
      onMessage: (topic, payload, ready) => this.#take(topic, payload, ready),
      onLost: () => {
        if (!this.#isClosing) hooks.onWire('lost');
      },
    });
  }

  start(): void {
    this.#problems.start();
    this.#settings.access.start();
    this.#link.start();
  }

  /** What has been handed over is dealt with first. May be called twice. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#link.stop();
    await Promise.all([this.#intake.settled(), this.#settings.access.stop()]);
    this.#problems.stop();
  }

  async publish<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>): Promise<PublishOutcome> {
    const { clock, hooks } = this.#settings;
    const payload = encodeDownward(name, { sentAt: new Date(clock.nowMs()).toISOString(), body });
    const { maxBytes } = downwardTopics[name];
    const payloadBytes = Buffer.byteLength(payload);
    if (payloadBytes > maxBytes) throw new RangeError(`expected a ${name} of at most ${maxBytes} bytes, got ${payloadBytes}`);
    // The broker would take it and drop it: nobody is subscribed there.
    if (!hooks.isOnline(deviceId)) return 'offline';
    if (!(await this.#link.publish(topicFor(deviceId, name), payload))) return 'offline';
    this.#messagesSent += 1;
    return 'sent';
  }

  disconnect(deviceId: string): void {
    void this.#settings.access.revoke(deviceId);
  }

  isConnected(deviceId: string): boolean {
    return this.#link.isOpen && this.#settings.hooks.isOnline(deviceId);
  }

  admit(deviceId: string, credential: string): Promise<void> {
    return this.#settings.access.admit(deviceId, credential);
  }

  problem(): string | null {
    return this.#link.problem() ?? this.#settings.access.problem();
  }

  figures(): BrokerFigures {
    return {
      connections: this.#settings.hooks.onlineCount(),
      messagesReceived: this.#intake.received,
      messagesSent: this.#messagesSent,
      problems: this.#problems.total,
      ingest: this.#intake.ingest.figures(),
    };
  }

  #take(topic: string, payload: Buffer, ready: () => void): void {
    if (this.#isClosing) ready();
    else this.#intake.take(topic, payload, ready);
  }

  #problem(deviceId: string, problem: BrokerProblem): void {
    this.#problems.add({ deviceId }, problem);
    if (!this.#isClosing) this.#settings.hooks.onProblem?.(deviceId, problem);
  }
}
