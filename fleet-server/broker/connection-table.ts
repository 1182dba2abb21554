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

export const connectionLimits = {
  /** About 22 KB each (measured): half a gigabyte. */
  total: 20_000,
  /** From one address, not yet authenticated; a venue's devices behind one address reconnect in milliseconds each. */
  waitingByAddress: 512,
} as const;

export class Connection {
  readonly guarded: GuardedConnection;
  readonly address: string;
  refusal: ConnectRefusal | undefined;
  deviceId: string | undefined;
  /** From when it is let in. */
  lane: DeviceLane | undefined;
  /** Of its messages: the last that is being dealt with, or waits. */
  turn: Promise<void> | undefined;
  /** Counted among those of its address that have not authenticated. */
  isUnknown = true;
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

export class ConnectionTable {
  readonly #onGone: (connection: Connection, reason: ConnectionReason) => void;
  readonly #all = new Map<Duplex, Connection>();
  readonly #byDevice = new Map<string, Entered>();
  readonly #waiting = new Map<string, number>();
  /** Also of connections that have ended: their last will comes after that. */
  readonly #connections = new WeakMap<Duplex, Connection>();

  /** `onGone` is called when a device has no connection left. */
  constructor(onGone: (connection: Connection, reason: ConnectionReason) => void) {
    this.#onGone = onGone;
  }

  /** Undefined, and the stream destroyed, when there are too many. */
  admit(stream: Duplex, address: string): GuardedConnection | undefined {
    const waiting = this.#waiting.get(address) ?? 0;
    if (this.#all.size >= connectionLimits.total || waiting >= connectionLimits.waitingByAddress) {
      stream.on('error', () => stream.destroy());
      stream.destroy();
      return undefined;
    }
    const guarded = new GuardedConnection(stream).start();
    const connection = new Connection(guarded, address);
    this.#all.set(guarded, connection);
    this.#connections.set(guarded, connection);
    this.#waiting.set(address, waiting + 1);
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
    this.#onGone(connection, connection.reason);
  }

  #leaveWaiting(connection: Connection): void {
    if (!connection.isUnknown) return;
    connection.isUnknown = false;
    const { address } = connection;
    const left = (this.#waiting.get(address) ?? 1) - 1;
    if (left > 0) this.#waiting.set(address, left);
    else this.#waiting.delete(address);
  }
}
