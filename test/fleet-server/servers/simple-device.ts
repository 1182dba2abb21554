/** A device over real MQTT: says hello, applies what is desired, does each command once, and remembers. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { decodeDownward, encodeUpward, type UpwardBody, type UpwardName } from '#protocol/envelope.ts';
import type { Command, Desired, Report } from '#protocol/messages.ts';
import { parseTopic, topicFor } from '#protocol/topics.ts';
import { bodies } from '../api-under-test.ts';

export class SimpleDevice {
  readonly id: string;
  readonly #credential: string;
  #client: MqttClient | null = null;
  #counter = 0;
  #sequence = 0;
  #applied: { readonly revision: number; readonly digest: string } | null = null;
  /** How often each command arrived, and in which order they were done. */
  readonly arrivals = new Map<string, number>();
  readonly done: string[] = [];
  readonly revisions: number[] = [];
  lastDesired: Desired | null = null;
  /** It is still at what it was told, and a test says how far. */
  isSlow = false;

  constructor(id: string, credential: string) {
    this.id = id;
    this.#credential = credential;
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false;
  }

  async connect(mqttPort: number): Promise<void> {
    await this.#open(mqttPort, this.id);
    await this.say('presence', bodies.online);
    await this.say('hello', bodies.hello(this.#applied?.revision ?? 0, this.#applied?.digest ?? null));
    await this.say('report', bodies.report({ appliedRevision: this.#applied?.revision ?? 0, settings: this.#inForce() }));
  }

  /** With the last will of another device. */
  async connectWithWillOf(mqttPort: number, otherId: string): Promise<void> {
    await this.#open(mqttPort, otherId);
  }

  /** What the broker grants of what a device has no right to; connects for it. */
  async trySubscribe(mqttPort: number, otherId: string): Promise<Record<'own' | 'foreign' | 'everything' | 'shared', number>> {
    await this.#open(mqttPort, this.id);
    const ask = async (topic: string): Promise<number> => {
      const granted = await this.#client?.subscribeAsync(topic, { qos: 1 }).catch(() => [{ qos: 128 }]);
      return granted?.[0]?.qos ?? 128;
    };
    return {
      own: await ask(topicFor(this.id, 'desired')),
      foreign: await ask(topicFor(otherId, 'desired')),
      everything: await ask('#'),
      shared: await ask(`$share/any/${topicFor(otherId, 'desired')}`),
    };
  }

  /** On another device's topic. */
  async sayAs<N extends UpwardName>(otherId: string, name: N, body: UpwardBody<N>): Promise<void> {
    await this.#client?.publishAsync(topicFor(otherId, name), this.#encode(name, body), { qos: 1 });
  }

  /** What was said before, and arrives now. */
  async sayAgain<N extends UpwardName>(from: 'earlier session' | 'earlier sequence', name: N, body: UpwardBody<N>): Promise<void> {
    const isEarlierSession = from === 'earlier session';
    const session = { bootId: 'a-boot', counter: isEarlierSession ? this.#counter - 1 : this.#counter };
    const sequence = isEarlierSession ? 1000 : 0;
    const payload = encodeUpward(name, { session, sequence, sentAt: new Date().toISOString(), body });
    await this.#client?.publishAsync(topicFor(this.id, name), payload, { qos: 1 });
  }

  /** Asks a server where to connect, as a device does that the broker has refused. */
  async showCredential(
    serverUrl: string,
    credential = this.#credential,
  ): Promise<{ readonly status: number; readonly mqttUrl?: string | null }> {
    const response = await fetch(`${serverUrl}/api/v1/devices/${this.id}/connection`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ credential }),
    });
    return { status: response.status, ...((await response.json()) as { mqttUrl?: string | null }) };
  }

  async #open(mqttPort: number, willOf: string): Promise<void> {
    this.leave();
    this.#counter += 1;
    this.#sequence = 0;
    const will = { topic: topicFor(willOf, 'presence'), payload: this.#encode('presence', bodies.lost), qos: 1 as const, retain: false };
    const options = { clientId: this.id, username: this.id, password: this.#credential, clean: true, reconnectPeriod: 0, will };
    const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options);
    this.#client = client;
    client.on('error', () => undefined);
    client.on('message', (topic, payload) => this.#take(topic, payload));
    await client.subscribeAsync(
      ['desired', 'command', 'event-ack'].map((name) => topicFor(this.id, name as 'desired')),
      { qos: 1 },
    );
  }

  async say<N extends UpwardName>(name: N, body: UpwardBody<N>): Promise<void> {
    await this.#client?.publishAsync(topicFor(this.id, name), this.#encode(name, body), { qos: 1 });
  }

  /** Says the same health as fast as its connection takes it, until it is cut. */
  async flood(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    // A connection that is cut may end in an error.
    const closed = once(client.stream, 'close').catch(() => undefined);
    while (client.connected) {
      for (let many = 0; many < 200; many += 1) {
        client.publish(topicFor(this.id, 'health'), this.#encode('health', bodies.health(30)), { qos: 0 });
      }
      await turn();
      if (client.stream.writableLength > 1_000_000) await Promise.race([once(client.stream, 'drain').catch(() => undefined), closed]);
    }
  }

  async sayPreview(jpeg: Buffer): Promise<void> {
    await this.#client?.publishAsync(topicFor(this.id, 'preview'), jpeg, { qos: 0 });
  }

  /** Without a goodbye. */
  leave(): void {
    this.#client?.stream.destroy();
    this.#client?.end(true);
    this.#client = null;
  }

  #inForce(): Report['settings'] {
    const settings: Report['settings'] = { ...bodies.report().settings };
    for (const level of ['fleet', 'group', 'device'] as const) {
      for (const [key, value] of Object.entries(this.lastDesired?.levels[level] ?? {})) settings[key] = { value, level };
    }
    return settings;
  }

  #encode<N extends UpwardName>(name: N, body: UpwardBody<N>): string {
    this.#sequence += 1;
    const session = { bootId: 'a-boot', counter: this.#counter };
    return encodeUpward(name, { session, sequence: this.#sequence, sentAt: new Date().toISOString(), body });
  }

  #take(topic: string, payload: Buffer): void {
    const name = parseTopic(topic)?.name;
    if (name === 'desired') {
      const decoded = decodeDownward(name, payload);
      if (decoded.kind !== 'problem') this.#apply(decoded.envelope.body);
    } else if (name === 'command') {
      const decoded = decodeDownward(name, payload);
      if (decoded.kind !== 'problem') this.#do(decoded.envelope.body);
    }
  }

  #apply(desired: Desired): void {
    if (desired.revision <= (this.#applied?.revision ?? 0)) return;
    this.#applied = { revision: desired.revision, digest: desired.digest };
    this.revisions.push(desired.revision);
    this.lastDesired = desired;
    const { revision } = desired;
    void this.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision }).catch(() => undefined);
  }

  #do({ id }: Command): void {
    this.arrivals.set(id, (this.arrivals.get(id) ?? 0) + 1);
    if (this.isSlow) return;
    if (!this.done.includes(id)) this.done.push(id);
    void this.say('command-result', { id, outcome: 'done', detail: 'frames are coming' }).catch(() => undefined);
  }
}
