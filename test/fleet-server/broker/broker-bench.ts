/** A broker on free ports with hooks that write down what they were called with; and clients for it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { Broker, type BrokerSettings } from '#fleet-server/broker/broker.ts';
import type { BrokerHooks, BrokerProblem, UpwardMessage } from '#fleet-server/broker/contract.ts';
import { systemClock } from '#fleet-server/clock.ts';
import { encodeUpward } from '#protocol/envelope.ts';
import { topicFor, type UpwardTopic } from '#protocol/topics.ts';

export type Seen = {
  readonly messages: UpwardMessage[];
  readonly previews: { deviceId: string; jpeg: Buffer }[];
  readonly connections: string[];
  readonly problems: { deviceId: string; problem: BrokerProblem }[];
  readonly logged: string[];
  /** Of what was logged: the broker's own failures. */
  readonly failures: string[];
};

export class BrokerBench {
  readonly seen: Seen = { messages: [], previews: [], connections: [], problems: [], logged: [], failures: [] };
  readonly http: Server = createServer();
  readonly broker: Broker;
  readonly #clients: MqttClient[] = [];
  readonly #sockets: Socket[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(hooks: Partial<BrokerHooks> = {}, settings: Partial<BrokerSettings> = {}) {
    const write = (fields: object, message: string) => void this.seen.logged.push(`${inspect(fields)} ${message}`);
    const fail = (fields: object, message: string) => {
      write(fields, message);
      this.seen.failures.push(`${inspect(fields)} ${message}`);
    };
    const noticed = () => {
      for (const waiter of this.#waiters) waiter();
    };
    this.broker = new Broker({
      port: 0,
      host: '127.0.0.1',
      server: this.http,
      log: { debug: write, info: write, warn: write, error: fail },
      clock: systemClock,
      ...settings,
      hooks: {
        authenticate: (deviceId, credential) => credential === credentialOf(deviceId),
        onConnection: (deviceId, state, reason) => {
          this.seen.connections.push(`${deviceId} ${state} ${reason}`);
          noticed();
        },
        onProblem: (deviceId, problem) => {
          this.seen.problems.push({ deviceId, problem });
          noticed();
        },
        ...hooks,
        handleUpward: async (message) => {
          await hooks.handleUpward?.(message);
          this.seen.messages.push(message);
          noticed();
        },
        onPicture: (deviceId, _name, jpeg) => {
          this.seen.previews.push({ deviceId, jpeg });
          noticed();
        },
      },
    });
  }

  async start(): Promise<this> {
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    await this.broker.start();
    return this;
  }

  get httpPort(): number {
    return (this.http.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    for (const socket of this.#sockets) socket.destroy();
    await this.broker.close();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  /** Waits, without polling, until what was seen fits. */
  until(isThere: (seen: Seen) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = () => {
        if (!isThere(this.seen)) return;
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
      waiter();
    });
  }

  async client(deviceId: string, options: IClientOptions = {}, url = `mqtt://127.0.0.1:${this.broker.port()}`): Promise<MqttClient> {
    const client = await connectAsync(url, {
      clientId: deviceId,
      username: deviceId,
      password: credentialOf(deviceId),
      protocolVersion: 4,
      keepalive: 10,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 8000,
      ...options,
    });
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }

  async socket(): Promise<Socket> {
    const socket = connectSocket(this.broker.port(), '127.0.0.1');
    socket.on('error', () => {});
    this.#sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }
}

export function credentialOf(deviceId: string): string {
  return `right-credential-of-${deviceId}`;
}

let sequence = 0;
export function presence(deviceId: string, state: 'online' | 'offline' = 'online', counter = 1): { topic: string; payload: string } {
  sequence += 1;
  return {
    topic: topicFor(deviceId, 'presence'),
    payload: encodeUpward('presence', {
      session: { bootId: 'boot', counter },
      sequence,
      sentAt: '2026-01-01T00:00:00.000Z',
      body: { state, reason: state === 'online' ? 'connected' : 'connection-lost' },
    }),
  };
}

export function event(deviceId: string, number: number): { topic: string; payload: string } {
  const name: UpwardTopic = 'event';
  sequence += 1;
  return {
    topic: topicFor(deviceId, name),
    payload: encodeUpward(name, {
      session: { bootId: 'boot', counter: 1 },
      sequence,
      sentAt: '2026-01-01T00:00:00.000Z',
      body: { number, at: '2026-01-01T00:00:00.000Z', kind: 'test', detail: '' },
    }),
  };
}
