/** The device's end of a link, in the place of MQTT.js: the same bounds on waiting, the same keepalive, the same ways to end. */
import type { ConnectionEnd, ConnectionOptions } from '#device/uplink/mqtt-connection.ts';
import type { UplinkConnection } from '#device/uplink/uplink.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { Sabotage } from './sabotage.ts';
import { keepaliveEndsMs, type SimulatedServer } from './simulated-server.ts';
import type { VirtualTime } from './virtual-time.ts';

const keepaliveMs = 10_000;
const answerTimeoutMs = 15_000;

export type Network = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly sabotage: Sabotage | null;
  /** Null: nothing listens there. */
  server(): SimulatedServer | null;
  makeLink(onClosed: { device(reason: string): void; server(reason: string): void }): Link;
  /** The device's newest connection, open or not. */
  onLink(deviceId: string, link: Link): void;
  /** Not even a refusal comes back. */
  isUnreachable(deviceId: string): boolean;
};

export class SimulatedConnection implements UplinkConnection {
  readonly #network: Network;
  readonly #options: ConnectionOptions;
  readonly #isAlive: () => boolean;
  #link: Link | null = null;
  #server: SimulatedServer | null = null;
  #hasReachedServer = false;
  #isRefused = false;
  #wasAccepted = false;
  #isOver = false;
  #heardAtMs = 0;
  readonly #waiting = new Set<(reason: string) => void>();
  #settleEnd: (end: ConnectionEnd) => void = () => undefined;
  readonly ended: Promise<ConnectionEnd>;

  constructor(network: Network, options: ConnectionOptions, isAlive: () => boolean) {
    this.#network = network;
    this.#options = options;
    this.#isAlive = isAlive;
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
  }

  async open(): Promise<boolean> {
    const { time, random } = this.#network;
    const { clientId, password, will } = this.#options;
    return new Promise((resolve) => {
      const settle = this.#await(() => resolve(false));
      time.after(random.between(1, 100), () => {
        if (this.#isOver || this.#network.isUnreachable(clientId)) return;
        const server = this.#network.server();
        if (server === null) {
          this.#finish('nothing listens there');
          return;
        }
        this.#hasReachedServer = true;
        this.#server = server;
        const link = this.#network.makeLink({
          device: (reason) => this.#finish(reason),
          server: (reason) => server.closed(link, reason),
        });
        this.#link = link;
        this.#network.onLink(clientId, link);
        const end = { link, receive: (topic: string, payload: Buffer) => this.#receive(topic, payload) };
        const who = { deviceId: clientId, credential: password, will: { topic: will.topic, payload: Buffer.from(will.payload) } };
        time.after(random.between(1, 40), () => {
          if (!link.passes.up || !link.isOpen.server || !server.isAlive) return;
          const isAccepted = server.connect(end, who);
          time.after(random.between(1, 40), () => {
            if (!link.passes.down || this.#isOver) return;
            if (!isAccepted) {
              this.#isRefused = true;
              this.#finish('bad user name or password');
              return;
            }
            this.#wasAccepted = true;
            this.#heardAtMs = time.nowMs;
            this.#ping();
            settle();
            resolve(true);
          });
        });
      });
    });
  }

  async subscribe(): Promise<void> {
    await this.#roundTrip((answer) => Promise.resolve().then(answer));
  }

  async publish(topic: string, payload: string): Promise<void> {
    await this.#roundTrip((answer, link, server) => server.receive(link, topic, payload).then(answer));
  }

  publishLossy(topic: string, payload: string | Buffer): boolean {
    const { server, link } = { server: this.#server, link: this.#link };
    if (this.#isOver || server === null || link === null) return false;
    link.send('up', () => void server.receive(link, topic, payload.toString()));
    return true;
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#link?.close('device', 'goodbye');
    this.#finish('closed by the agent');
  }

  abort(reason: string): void {
    this.#finish(reason);
  }

  /** An answer that does not come in time ends the connection, and with it whoever waits. */
  #await(onEnd: (reason: string) => void): () => void {
    const cancel = this.#network.time.after(answerTimeoutMs, () => this.#finish('no answer in time'));
    const ends = (reason: string): void => {
      cancel();
      onEnd(reason);
    };
    this.#waiting.add(ends);
    return () => {
      cancel();
      this.#waiting.delete(ends);
    };
  }

  #roundTrip(atServer: (answer: () => void, link: Link, server: SimulatedServer) => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const { server, link } = { server: this.#server, link: this.#link };
      if (this.#isOver || server === null || link === null) {
        reject(new Error('the connection is over'));
        return;
      }
      const settle = this.#await((reason) => reject(new Error(reason)));
      const answered = (): void => {
        if (this.#isOver || !this.#isAlive()) return;
        this.#heardAtMs = this.#network.time.nowMs;
        settle();
        resolve();
      };
      link.send('up', () => void atServer(() => link.send('down', answered), link, server));
    });
  }

  #receive(topic: string, payload: Buffer): void {
    if (this.#isOver || !this.#isAlive()) return;
    this.#heardAtMs = this.#network.time.nowMs;
    this.#options.onMessage(topic, payload);
  }

  #ping(): void {
    const { server, link } = { server: this.#server, link: this.#link };
    if (this.#isOver || !this.#isAlive() || server === null || link === null) return;
    if (this.#network.time.nowMs - this.#heardAtMs >= keepaliveEndsMs) {
      this.#finish('Keepalive timeout');
      return;
    }
    // Never lost on a connection that carries: TCP would carry it again.
    this.#network.time.after(20, () => {
      if (!link.passes.up || !link.isOpen.server) return;
      server.heard(link);
      if (!link.passes.down) return;
      this.#heardAtMs = this.#network.time.nowMs;
    });
    this.#network.time.after(keepaliveMs / 2, () => this.#ping());
  }

  #finish(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link?.close('device', reason);
    for (const ends of [...this.#waiting]) ends(reason);
    this.#waiting.clear();
    this.#settleEnd({
      reason,
      hasReachedServer: this.#hasReachedServer,
      isRefused: this.#isRefused,
      wasAccepted: this.#wasAccepted,
      hasNoBroker: false,
    });
  }
}
