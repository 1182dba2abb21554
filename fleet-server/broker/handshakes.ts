/**
 * Connections to the MQTT port that are not through with TLS yet. They come before the connection table: whoever opens thousands and says nothing
 * must not use up what the process may have open.
 *
 * INVARIANT: where there are too many, the one that came first makes room: a device is through in a moment, whoever is beside it.
 */
import type { Socket } from 'node:net';
import type { Server } from 'node:tls';

export type HandshakeLimits = { readonly total: number; readonly ofAddress: number };

/** Of one address as many as the system may hand over at once: a whole fleet behind a load balancer. */
export const handshakeLimits: HandshakeLimits = { total: 8192, ofAddress: 4096 };

type Begun = { readonly name: string; readonly address: string; readonly socket: Socket };

export class Handshakes {
  readonly #limits: HandshakeLimits;
  readonly #onTooMany: (address: string) => void;
  /** By address and port, as TLS puts another object around the same connection. */
  readonly #all = new Map<string, Begun>();
  readonly #byAddress = new Map<string, Set<Begun>>();

  constructor(onTooMany: (address: string) => void, limits: HandshakeLimits | undefined) {
    this.#onTooMany = onTooMany;
    this.#limits = limits ?? handshakeLimits;
  }

  get open(): number {
    return this.#all.size;
  }

  attach(server: Server): void {
    server.on('connection', (socket: Socket) => this.#begin(socket));
    server.on('secureConnection', (socket) => this.#end(this.#all.get(nameOf(socket))));
  }

  #begin(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const ofAddress = this.#byAddress.get(address) ?? new Set<Begun>();
    if (ofAddress.size >= this.#limits.ofAddress) this.#endFirst(ofAddress);
    if (this.#all.size >= this.#limits.total) this.#endFirst(this.#all.values());
    const begun = { name: nameOf(socket), address, socket };
    this.#all.set(begun.name, begun);
    this.#byAddress.set(address, ofAddress.add(begun));
    socket.once('close', () => this.#end(begun));
  }

  #endFirst(waiting: Iterable<Begun>): void {
    const [first] = waiting;
    if (first === undefined) return;
    this.#end(first);
    first.socket.destroy();
    this.#onTooMany(first.address);
  }

  #end(begun: Begun | undefined): void {
    if (begun === undefined || this.#all.get(begun.name) !== begun) return;
    this.#all.delete(begun.name);
    const ofAddress = this.#byAddress.get(begun.address);
    ofAddress?.delete(begun);
    if (ofAddress?.size === 0) this.#byAddress.delete(begun.address);
  }
}

function nameOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
