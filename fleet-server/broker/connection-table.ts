/**
 * Who is connected, kept by connection and not by Aedes' own table: at a takeover Aedes can remove the new client when the
 * old one ends late, and then never says that the new one has gone.
 */
import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { ConnectRefusal } from '#fleet-server/broker/connect-rules.ts';
import type { ConnectionReason } from '#fleet-server/broker/contract.ts';
import type { DeviceLane } from '#fleet-server/broker/device-lane.ts';
import { GuardedConnection } from '#fleet-server/broker/packet-limit.ts';
import { PublishQueue } from '#fleet-server/broker/publish-queue.ts';
import type { DownwardName } from '#protocol/envelope.ts';

export type ConnectionLimits = { readonly total: number; readonly waitingByAddress: number };

export const connectionLimits: ConnectionLimits = {
  /** About 22 KB each (measured): half a gigabyte. */
  total: 20_000,
  /** From one address, not yet authenticated; a device says CONNECT at once, and is in within milliseconds. */
  waitingByAddress: 512,
};

export class Connection {
  readonly guarded: GuardedConnection;
  readonly address: string;
  refusal: ConnectRefusal | undefined;
  deviceId: string | undefined;
  /** From when it is let in. */
  lane: DeviceLane | undefined;
  /** Of its messages: the last that is being dealt with, or waits. */
  turn: Promise<void> | undefined;
  #reason: ConnectionReason | undefined;

  constructor(guarded: GuardedConnection, address: string) {
    this.guarded = guarded;
    this.address = address;
  }

  /** Remembers why the connection ends; the first reason counts. */
  blame(reason: ConnectionReason): void {
    this.#reason ??= reason;
  }

  end(reason: ConnectionReason): void {
    this.blame(reason);
    this.guarded.destroy();
  }

  get reason(): ConnectionReason {
    return this.#reason ?? (this.guarded.saidGoodbye ? 'goodbye' : 'connection-lost');
  }
}

type Entered = { readonly connection: Connection; readonly queue: PublishQueue; end(reason: ConnectionReason): void };

export type ConnectionEvents = {
  /** A device has no connection left. */
  onGone(connection: Connection, reason: ConnectionReason): void;
  /** One of this address had to go, or was not let in, because there are too many. */
  onTooMany(address: string): void;
};

/**
 * INVARIANT: whoever has authenticated is never ended for the sake of a new connection, and a new one is refused only where all are such: where
 * too many say nothing, the one that has said nothing longest makes room.
 */
export class ConnectionTable {
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #all = new Map<Duplex, Connection>();
  readonly #byDevice = new Map<string, Entered>();
  /** Not yet authenticated: the one that came first stands first. */
  readonly #waiting = new Set<Connection>();
  readonly #waitingByAddress = new Map<string, Set<Connection>>();
  /** Also of connections that have ended: their last will comes after that. */
  readonly #connections = new WeakMap<Duplex, Connection>();

  constructor(events: ConnectionEvents, limits: ConnectionLimits = connectionLimits) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Undefined, and the stream destroyed, when there are too many. */
  admit(stream: Duplex, address: string): GuardedConnection | undefined {
    const ofAddress = this.#waitingByAddress.get(address) ?? new Set<Connection>();
    const { total, waitingByAddress } = this.#limits;
    if (ofAddress.size >= waitingByAddress) this.#endFirst(ofAddress);
    if (this.#all.size >= total) this.#endFirst(this.#waiting);
    if (this.#all.size >= total) {
      stream.on('error', () => stream.destroy());
      stream.destroy();
      this.#events.onTooMany(address);
      return undefined;
    }
    const guarded = new GuardedConnection(stream).start();
    const connection = new Connection(guarded, address);
    this.#all.set(guarded, connection);
    this.#connections.set(guarded, connection);
    this.#waiting.add(connection);
    this.#waitingByAddress.set(address, ofAddress.add(connection));
    guarded.once('close', () => this.#remove(guarded, connection));
    return guarded;
  }

  of(client: Client): Connection | undefined {
    return this.#connections.get(client.conn);
  }

  ofDevice(deviceId: string): Entered | undefined {
    return this.#byDevice.get(deviceId);
  }

  get deviceCount(): number {
    return this.#byDevice.size;
  }

  /** The client has authenticated. */
  know(connection: Connection): void {
    this.#leaveWaiting(connection);
  }

  /** It is let in; answers whether it took over from an older connection, which is ended. */
  enter(client: Client, connection: Connection, send: (name: DownwardName, payload: string) => void | Promise<void>): boolean {
    const older = this.#byDevice.get(client.id);
    const end = (reason: ConnectionReason) => connection.end(reason);
    const queue = new PublishQueue(send, () => end('connection-lost'));
    connection.deviceId = client.id;
    this.#byDevice.set(client.id, { connection, queue, end });
    older?.queue.close();
    older?.end('taken-over');
    return older !== undefined;
  }

  endAll(): void {
    for (const guarded of [...this.#all.keys()]) guarded.destroy();
  }

  #remove(guarded: GuardedConnection, connection: Connection): void {
    this.#all.delete(guarded);
    const { deviceId } = connection;
    if (deviceId === undefined) {
      this.#leaveWaiting(connection);
      return;
    }
    const entered = this.#byDevice.get(deviceId);
    if (entered?.connection !== connection) return;
    this.#byDevice.delete(deviceId);
    entered.queue.close();
    this.#events.onGone(connection, connection.reason);
  }

  #endFirst(waiting: ReadonlySet<Connection>): void {
    const [first] = waiting;
    if (first === undefined) return;
    this.#remove(first.guarded, first);
    first.end('connection-lost');
    this.#events.onTooMany(first.address);
  }

  #leaveWaiting(connection: Connection): void {
    if (!this.#waiting.delete(connection)) return;
    const ofAddress = this.#waitingByAddress.get(connection.address);
    ofAddress?.delete(connection);
    if (ofAddress?.size === 0) this.#waitingByAddress.delete(connection.address);
  }
}
