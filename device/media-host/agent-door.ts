/** The Unix socket on which agents come and go: one at a time, a new one replaces the old. */
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { HostMessage, HostRequest } from '#device/media/host-protocol.ts';
import { LineReader } from '#device/media/line-reader.ts';
import { parseRequest } from '#device/media-host/parse-request.ts';

/** Of a request: a plan with its descriptions. */
const maximumLineBytes = 400_000;
/** An agent that does not read loses previews and status, which are followed by newer ones, and at last its connection. */
const busyBytes = 512 * 1024;
const deafBytes = 4 * 1024 * 1024;

export type AgentDoorHandlers = {
  readonly welcome: () => HostMessage;
  readonly onRequest: (request: HostRequest) => void;
};

export class AgentDoor {
  readonly #path: string;
  readonly #handlers: AgentDoorHandlers;
  #server: Server | null = null;
  #agent: Socket | null = null;

  constructor(path: string, handlers: AgentDoorHandlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  get hasAgent(): boolean {
    return this.#agent !== null;
  }

  /** False when a living host has the socket already. */
  async open(): Promise<boolean> {
    if (await isAnswered(this.#path)) return false;
    await rm(this.#path, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
    await chmod(this.#path, 0o600);
    return true;
  }

  /** May be called twice. Resolves when what was written has left, or after a bound. */
  async close(): Promise<void> {
    const agent = this.#agent;
    const server = this.#server;
    this.#agent = null;
    this.#server = null;
    server?.close();
    if (agent === null) return;
    await new Promise<void>((resolve) => {
      const bound = setTimeout(resolve, 300);
      agent.end(() => {
        clearTimeout(bound);
        resolve();
      });
    });
    agent.destroy();
  }

  send(message: HostMessage): void {
    const agent = this.#agent;
    if (agent === null) return;
    const isSuperseded = message.kind === 'preview' || message.kind === 'status';
    if (isSuperseded && agent.writableLength > busyBytes) return;
    if (agent.writableLength > deafBytes) agent.destroy();
    else agent.write(`${JSON.stringify(message)}\n`);
  }

  #accept(socket: Socket): void {
    this.#agent?.destroy();
    this.#agent = socket;
    const reader = new LineReader(maximumLineBytes);
    socket.on('data', (chunk) => {
      const read = reader.read(chunk);
      if (read.kind === 'too-long') socket.destroy();
      else for (const line of read.lines) this.#take(socket, line);
    });
    // The stream goes on without an agent; why the old one went does not matter here.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#agent === socket) this.#agent = null;
    });
    this.send(this.#handlers.welcome());
  }

  #take(socket: Socket, line: string): void {
    if (this.#agent !== socket) return;
    const parsed = parseRequest(line);
    if (parsed.kind === 'request') this.#handlers.onRequest(parsed.request);
    else this.send({ kind: 'event', event: 'media-host-request-refused', detail: parsed.problem });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
