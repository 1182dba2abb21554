/**
 * The short way of one device's messages, past Aedes: nine tenths of what a connection carries is a PUBLISH to one of the device's own topics
 * or an acknowledgement, of which Aedes would make a dozen objects, two streams' worth of queueing and three turns of the event loop. Whatever
 * else comes, and whatever is not as it should be, goes to Aedes, which knows what the specification asks for.
 *
 * INVARIANTS
 * - A message is acknowledged after the server has dealt with it, and in the order of its coming.
 * - After the first packet that is irregular, or the last of a connection, nothing goes the short way any more: what follows stays behind it.
 * - A connection is read no further while more than `maxWaiting` of its messages wait, besides those that came in one piece with them.
 */
import type { Client } from 'aedes';
import { generate } from 'mqtt-packet';
import type { GuardedConnection } from '#fleet-server/broker/packet-limit.ts';
import { readRepeatedFilters } from '#fleet-server/broker/packet-rules.ts';
import { type DevicePublish, packetTypes, readPublish, typeOf, writePuback, writePublish } from '#fleet-server/broker/publish-packet.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { DownwardName } from '#protocol/envelope.ts';
import { downwardTopics, topicFor } from '#protocol/topics.ts';

const maxWaiting = 8;
const maxMessageId = 65_535;

/** They come at any time, say nothing of what follows, and stay with Aedes. */
const passing: ReadonlySet<number> = new Set([packetTypes.subscribe, packetTypes.unsubscribe, packetTypes.pingreq]);

export type DeviceLaneOptions = {
  readonly client: Client;
  readonly guarded: GuardedConnection;
  readonly clock: Pick<Clock, 'after'>;
  /** How long a connection may take nothing in before it is cut. */
  readonly drainTimeoutMs: number;
  /** Answers, at once or later, when the message may be acknowledged; an error when the connection must be closed. */
  receive(publish: DevicePublish): Promise<Error | undefined> | Error | undefined;
  /** Whether it may subscribe to that. */
  subscribe(topic: string, quality: 0 | 1 | 2): boolean;
};

export class DeviceLane {
  readonly #options: DeviceLaneOptions;
  readonly #deviceId: string;
  readonly #ready: Promise<void>;
  #begin: () => void = () => {};
  #isReady = false;
  #isOver = false;
  #waiting = 0;
  #messageId = 0;
  /** Topics that the device asked for with quality 0 (3.8.4-6). */
  #unacknowledged: ReadonlySet<string> = new Set();

  constructor(options: DeviceLaneOptions) {
    this.#options = options;
    this.#deviceId = options.client.id;
    this.#ready = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** The device has been told that it is accepted. */
  open(): void {
    this.#isReady = true;
    this.#options.guarded.takeOut((packet) => this.#take(packet));
    this.#begin();
  }

  subscribed(topic: string, quality: number): void {
    if (quality > 0 && this.#unacknowledged.size === 0) return;
    const others = [...this.#unacknowledged].filter((other) => other !== topic);
    this.#unacknowledged = new Set(quality === 0 ? [...others, topic] : others);
  }

  /** Answers, or resolves, when the message is written; throws, or rejects, when the connection is gone. */
  send(name: DownwardName, payload: string): void | Promise<void> {
    if (this.#isReady) return this.#send(name, payload);
    const gone = this.#goneBefore(this.#ready);
    return gone.then(() => this.#send(name, payload));
  }

  #send(name: DownwardName, payload: string): void | Promise<void> {
    const { client, guarded, clock, drainTimeoutMs } = this.#options;
    if (client.closed || guarded.destroyed) throw new Error('the connection is gone');
    const topic = topicFor(this.#deviceId, name);
    const isAcknowledged = downwardTopics[name].qos === 1 && !this.#unacknowledged.has(topic);
    if (guarded.send(writePublish(topic, payload, isAcknowledged ? this.#nextId() : null))) return undefined;
    const drained = new Promise<void>((resolve) => guarded.once('drain', resolve));
    const cancel = clock.after(drainTimeoutMs, () => guarded.destroy(new Error('it takes nothing in')));
    return this.#goneBefore(drained).finally(cancel);
  }

  async #goneBefore(moment: Promise<void>): Promise<void> {
    const { client, guarded } = this.#options;
    const closed = new Promise<void>((resolve) => {
      guarded.once('close', resolve);
      void moment.then(() => guarded.off('close', resolve));
    });
    await Promise.race([moment, closed]);
    if (client.closed || guarded.destroyed) throw new Error('the connection is gone');
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % maxMessageId) + 1;
    return this.#messageId;
  }

  #take(packet: Buffer): boolean {
    if (this.#isOver || this.#options.client.closed) return false;
    const type = typeOf(packet);
    const publish = type === packetTypes.publish ? readPublish(packet, this.#deviceId) : undefined;
    if (publish !== undefined) {
      this.#showLife();
      this.#receive(publish);
      return true;
    }
    // Of a message of ours: nobody waits for it, as what matters is answered by the device itself.
    if (packet.length === 4 && packet[0] === packetTypes.puback << 4) {
      this.#showLife();
      return true;
    }
    if (type === packetTypes.subscribe && this.#subscribe(packet)) return true;
    this.#isOver = !passing.has(type);
    return false;
  }

  /** Aedes answers a filter that is named twice once; asked for is an answer for each (3.8.4-5). */
  #subscribe(packet: Buffer): boolean {
    const { subscribe, guarded } = this.#options;
    const wish = readRepeatedFilters(packet);
    if (wish === null) return false;
    this.#showLife();
    const granted = wish.filters.map(({ topic, quality }) => (subscribe(topic, quality) ? quality : 128));
    guarded.send(generate({ cmd: 'suback', messageId: wish.messageId, granted }));
    return true;
  }

  #receive(publish: DevicePublish): void {
    const { guarded } = this.#options;
    const answer = this.#options.receive(publish);
    if (!(answer instanceof Promise)) {
      this.#answer(publish, answer);
      return;
    }
    this.#waiting += 1;
    if (this.#waiting > maxWaiting) guarded.hold();
    void answer.then((error) => {
      this.#waiting -= 1;
      if (this.#waiting === 0) guarded.readOn();
      this.#answer(publish, error);
    });
  }

  #answer({ messageId }: DevicePublish, error: Error | undefined): void {
    const { guarded } = this.#options;
    if (error !== undefined) guarded.destroy(error);
    else if (messageId !== null && !guarded.destroyed) guarded.send(writePuback(messageId));
  }

  /** Aedes counts what it sees itself. Its timer has no name outside: device-lane.test.ts tells if that becomes another one. */
  #showLife(): void {
    (this.#options.client as Client & { readonly _keepaliveTimer?: NodeJS.Timeout | null })._keepaliveTimer?.refresh();
  }
}
