/**
 * Bounds on the connections to the HTTP port: who opens thousands and says nothing, or a byte a second, must not take the place of all.
 *
 * INVARIANTS
 * - At most `total` connections, and `ofAddress` of one address, save of the proxies whose word counts: behind them are all.
 * - One that has become a WebSocket is not counted any more: the broker's own bounds hold for it (broker/connection-table.ts).
 * - How long a connection may take for a request is Node's to watch: `timesOf`.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { IsTrusted } from '#fleet-server/http/trusted-proxies.ts';

export type SocketLimits = {
  readonly total: number;
  readonly ofAddress: number;
  /** For the head of a request, also the first of a connection. */
  readonly headersMs: number;
  /** For all of a request: 64 KB at most. */
  readonly requestMs: number;
  /** In which nothing may be sent or taken: whoever does not read its answer. */
  readonly silentMs: number;
};

/** A venue behind one address may have hundreds of viewers, with a connection or two each. */
export const socketLimits: SocketLimits = { total: 8192, ofAddress: 1024, headersMs: 10_000, requestMs: 60_000, silentMs: 120_000 };

const saidAgainMs = 60_000;

export type SocketGuardOptions = {
  readonly limits?: SocketLimits;
  readonly isTrustedProxy?: IsTrusted;
  /** At most once a minute; how many there were since the last time. */
  onRefused(address: string, count: number): void;
};

type Connecting = Pick<Socket, 'remoteAddress' | 'remotePort'>;

export class SocketGuard {
  readonly #limits: SocketLimits;
  readonly #options: SocketGuardOptions;
  /** By address and port, as TLS puts another object around the same connection. */
  readonly #open = new Map<string, string>();
  readonly #ofAddress = new Map<string, number>();
  #refused = 0;
  #unsaid = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SocketGuardOptions) {
    this.#options = options;
    this.#limits = options.limits ?? socketLimits;
  }

  /** For Node's own constructor of the server. */
  static timesOf(limits: SocketLimits = socketLimits) {
    const { headersMs, requestMs } = limits;
    return { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: Math.ceil(headersMs / 4) };
  }

  attach(server: Server): void {
    server.setTimeout(this.#limits.silentMs);
    server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  /** It has become a WebSocket. */
  release(socket: Connecting): void {
    this.#leave(nameOf(socket));
  }

  get open(): number {
    return this.#open.size;
  }

  get refused(): number {
    return this.#refused;
  }

  #admit(socket: Socket): void {
    const { total, ofAddress } = this.#limits;
    const address = socket.remoteAddress ?? 'unknown';
    const own = this.#ofAddress.get(address) ?? 0;
    const isProxy = this.#options.isTrustedProxy?.(address) === true;
    if (this.#open.size >= total || (own >= ofAddress && !isProxy)) {
      socket.destroy();
      this.#refuse(address);
      return;
    }
    const name = nameOf(socket);
    this.#open.set(name, address);
    this.#ofAddress.set(address, own + 1);
    socket.once('close', () => this.#leave(name));
  }

  #leave(name: string): void {
    const address = this.#open.get(name);
    if (address === undefined) return;
    this.#open.delete(name);
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }

  #refuse(address: string): void {
    this.#refused += 1;
    this.#unsaid += 1;
    const nowMs = performance.now();
    if (nowMs - this.#saidAtMs < saidAgainMs) return;
    this.#options.onRefused(address, this.#unsaid);
    this.#saidAtMs = nowMs;
    this.#unsaid = 0;
  }
}

function nameOf({ remoteAddress, remotePort }: Connecting): string {
  return `${remoteAddress} ${remotePort}`;
}
