/** A fleet server as the device sees it: a real broker over real WebSockets, with the protocol's own codec. */
import { createServer, type Server } from 'node:http';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import {
  type DownwardBody,
  type DownwardName,
  decodeUpward,
  encodeDownward,
  isPictureTopic,
  type UpwardBody,
  type UpwardName,
} from '#protocol/envelope.ts';
import type { Session } from '#protocol/identifiers.ts';
import { parseTopic, topicFor } from '#protocol/topics.ts';

export type Heard = {
  readonly deviceId: string;
  readonly name: UpwardName;
  readonly session: Session;
  readonly sequence: number;
  readonly body: UpwardBody<UpwardName>;
};

type Waiter = { readonly matches: (heard: Heard) => boolean; readonly resolve: (heard: Heard) => void };

export class TestFleet {
  readonly heard: Heard[] = [];
  readonly previews: Buffer[] = [];
  readonly snapshots: Buffer[] = [];
  readonly problems: string[] = [];
  /** Every CONNECT, with the return code that it got. */
  readonly connects: { readonly clientId: string; readonly returnCode: number }[] = [];
  /** The next CONNECTs are refused with these codes (MQTT 3.1.1, 3.2.2.3). */
  refusals: number[] = [];
  credentials = new Map<string, string>();
  /** Count beside the others until they are used: then they take their place. */
  nextCredentials = new Map<string, string>();
  /** Holds acknowledgements of upward messages back while false. */
  onEnrolment: (body: unknown) => { status: number; body: unknown } = () => ({ status: 403, body: {} });
  #broker: Aedes | null = null;
  #server: Server | null = null;
  #sockets = new Set<WebSocket>();
  #waiters: Waiter[] = [];
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const broker = await Aedes.createBroker();
    this.#broker = broker;
    broker.authenticate = (client, username, password, done) => {
      const refused = this.refusals.shift();
      const came = password?.toString() ?? '';
      const next = this.nextCredentials.get(client.id);
      if (came === next) {
        this.credentials.set(client.id, came);
        this.nextCredentials.delete(client.id);
      }
      const isKnown = username === client.id && this.credentials.get(client.id) === came;
      const returnCode = refused ?? (isKnown ? 0 : 4);
      this.connects.push({ clientId: client.id, returnCode });
      if (returnCode === 0) done(null, true);
      else done(Object.assign(new Error('refused'), { returnCode }) as AuthenticateError, false);
    };
    broker.on('publish', (packet, client) => this.#hear(packet.topic, Buffer.from(packet.payload), client));
    const server = createServer((request, response) => {
      if (request.method !== 'POST') {
        response.end();
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const answer = this.onEnrolment(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      });
    });
    const door = new WebSocketServer({ server, path: '/mqtt' });
    door.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const stream = createWebSocketStream(socket);
      stream.on('error', () => socket.terminate());
      broker.handle(stream);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** As kill -9 does: the sockets break, nothing is said. The port stays ours for the next start. */
  async crash(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    for (const socket of this.#sockets) socket.terminate();
    server.closeAllConnections();
    await Promise.all([new Promise((resolve) => server.close(resolve)), new Promise<void>((resolve) => this.#broker?.close(resolve))]);
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async send<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>, sentAt = new Date().toISOString()): Promise<void> {
    await this.sendRaw(topicFor(deviceId, name), encodeDownward(name, { sentAt, body }));
  }

  sendRaw(topic: string, payload: string | Buffer): Promise<void> {
    const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
    return new Promise((resolve, reject) => {
      this.#broker?.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)));
    });
  }

  /** The first message that fits, of those already heard (from `from` on) or to come. */
  hear<N extends UpwardName>(
    name: N,
    fits: (body: UpwardBody<N>, heard: Heard) => boolean = () => true,
    from = 0,
  ): Promise<Heard & { readonly body: UpwardBody<N> }> {
    const matches = (heard: Heard): boolean => heard.name === name && fits(heard.body as UpwardBody<N>, heard);
    const known = this.heard.slice(from).find(matches);
    if (known !== undefined) return Promise.resolve(known as Heard & { readonly body: UpwardBody<N> });
    return new Promise((resolve) => {
      this.#waiters.push({ matches, resolve: (heard) => resolve(heard as Heard & { readonly body: UpwardBody<N> }) });
    });
  }

  #hear(topic: string, payload: Buffer, client: Client | null): void {
    const parsed = parseTopic(topic);
    if (parsed === undefined || parsed.way !== 'up' || (client !== null && client.id !== parsed.deviceId)) return;
    if (isPictureTopic(parsed.name)) {
      (parsed.name === 'preview' ? this.previews : this.snapshots).push(payload);
      return;
    }
    const decoded = decodeUpward(parsed.name, payload);
    if (decoded.kind === 'problem') {
      this.problems.push(`${parsed.name}: ${decoded.message}`);
      return;
    }
    const { session, sequence, body } = decoded.envelope;
    const heard: Heard = { deviceId: parsed.deviceId, name: parsed.name, session, sequence, body };
    this.heard.push(heard);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.matches(heard)) return true;
      waiter.resolve(heard);
      return false;
    });
  }
}
