/**
 * Shows the devices of the other servers here, and those of this one there.
 *
 * INVARIANTS
 * - A device belongs to the server that it connected to last; whoever had it before lets go as soon as it reads that.
 * - One writing at a time, so that versions come to be visible in their order and none is skipped by a reader.
 * - Of a server that has been silent for `silentForMs` nothing is believed any more.
 */
import type { Clock } from '#fleet-server/clock.ts';
import type { LivePart } from '#fleet-server/devices/shared-device.ts';
import type { Log } from '#fleet-server/log.ts';
import type { FleetServers } from '#fleet-server/servers/contract.ts';
import { type FleetRelays, silentForMs } from '#fleet-server/servers/fleet-relays.ts';
import * as store from '#fleet-server/servers/servers-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** The register of devices, as it is seen from here. */
export type SharedRegister = {
  /** Of a device that is this server's now; null when there is nothing (any more). */
  documentOf(deviceId: string, part: LivePart): string | null;
  isHere(deviceId: string, part: LivePart): boolean;
  apply(deviceId: string, part: LivePart, serverId: string, document: string | null): void;
  /** A server is gone: what it knew is not known any more. */
  forget(serverId: string): void;
};

export type LiveExchangeOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly servers: FleetServers;
  readonly register: SharedRegister;
  readonly relays: FleetRelays;
  readonly place: store.ServerPlace;
  /** Has the register know a device that joined at another server a moment ago. */
  lookFor(deviceId: string): Promise<void>;
};

const tickMs = 500;
const heartbeatMs = 2000;
const rowsAtOnce = 500;
const sweepEveryMs = 10_000;
const sweepAfterMs = 60_000;
/** A server that died is missed for so long; then it counts as taken away. */
const missedForMs = 86_400_000;

type Dirty = { readonly deviceId: string; readonly part: LivePart; readonly isClaim: boolean };

export class LiveExchange {
  readonly #options: LiveExchangeOptions;
  #dirty = new Map<string, Dirty>();
  #version = 0;
  #seen = new Map<string, number>();
  #living: readonly store.KnownServer[] = [];
  #saidAliveAtMs = Number.NEGATIVE_INFINITY;
  #saidOfRelay = '';
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #work: Promise<void> | null = null;
  #isWanted = false;
  #cancel: () => void = () => {};

  constructor(options: LiveExchangeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock, servers, relays } = this.#options;
    servers.onTold((message) => {
      if (message.kind === 'live') this.#run();
    });
    servers.onGap(() => this.#run());
    // Its own relay's state is written at once; that others' have changed is seen by what is read just after.
    relays.onChange(() => this.#run());
    this.#cancel = clock.every(tickMs, () => this.#run());
    await this.#exchange();
  }

  /** The others know at once that this server is gone. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#work;
    await store.removeServer(this.#options.database, this.#options.servers.id);
  }

  /** Something about a device that is this server's changed; `isClaim`: it has just become this server's. */
  note(deviceId: string, part: LivePart, isClaim: boolean): void {
    const key = `${part} ${deviceId}`;
    this.#dirty.set(key, { deviceId, part, isClaim: isClaim || this.#dirty.get(key)?.isClaim === true });
    if (isClaim) this.#run();
  }

  /** Where a server's own pages and relay are; undefined when it is not there. */
  placeOf(serverId: string): store.ServerPlace | undefined {
    return this.#living.find(({ id }) => id === serverId);
  }

  /** One at a time; what is asked for meanwhile is done once more after it. */
  #run(): void {
    if (this.#work !== null) {
      this.#isWanted = true;
      return;
    }
    this.#work = this.#exchange()
      .catch((err: unknown) => this.#options.log.error({ err }, 'devices could not be exchanged with the other fleet servers'))
      .finally(() => {
        this.#work = null;
        if (!this.#isWanted) return;
        this.#isWanted = false;
        this.#run();
      });
  }

  async #exchange(): Promise<void> {
    await this.#sayAlive();
    await this.#write();
    await this.#read();
    await this.#sweep();
  }

  async #sayAlive(): Promise<void> {
    const { database, clock, servers, relays, place } = this.#options;
    const nowMs = clock.monotonicMs();
    const report = relays.report();
    const word = `${report.kind} ${report.detail}`;
    const isNew = word !== this.#saidOfRelay;
    if (!isNew && nowMs - this.#saidAliveAtMs < heartbeatMs) return;
    await store.sayAlive(database, servers.id, place, report);
    this.#saidAliveAtMs = nowMs;
    this.#saidOfRelay = word;
    if (isNew) servers.tell({ kind: 'live' });
  }

  async #write(): Promise<void> {
    const { servers, register } = this.#options;
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Map();
    const mine = [...dirty.values()].filter(({ deviceId, part }) => register.isHere(deviceId, part));
    try {
      for (let start = 0; start < mine.length; start += rowsAtOnce) await this.#writeSome(mine.slice(start, start + rowsAtOnce));
    } catch (error) {
      // A claim that was not written must not be lost.
      for (const [key, entry] of dirty) if (!this.#dirty.has(key)) this.#dirty.set(key, entry);
      throw error;
    }
    if (mine.length > 0) servers.tell({ kind: 'live' });
  }

  async #writeSome(entries: readonly Dirty[]): Promise<void> {
    const { database, servers, register } = this.#options;
    const rowOf = ({ deviceId, part }: Dirty): store.LiveRow => {
      this.#version += 1;
      return { deviceId, part, serverId: servers.id, version: this.#version, document: register.documentOf(deviceId, part) };
    };
    await store.claimLive(database, entries.filter(({ isClaim }) => isClaim).map(rowOf));
    await store.writeLive(database, entries.filter(({ isClaim }) => !isClaim).map(rowOf));
  }

  async #read(): Promise<void> {
    const { database, servers, register, relays } = this.#options;
    const known = await store.knownServers(database);
    const living = known.filter(({ silentMs }) => silentMs <= silentForMs);
    const before = this.#living;
    this.#living = living;
    for (const { id } of before) {
      if (living.some((server) => server.id === id) || id === servers.id) continue;
      this.#seen.delete(id);
      register.forget(id);
    }
    for (const { id } of living) if (id !== servers.id) await this.#readOf(id);
    relays.take(known);
  }

  /** What dead servers knew is removed, and they themselves once they are back or missed for too long. */
  async #sweep(): Promise<void> {
    const { database, clock, servers } = this.#options;
    const nowMs = clock.monotonicMs();
    if (!servers.isLeader() || nowMs - this.#sweptAtMs < sweepEveryMs) return;
    this.#sweptAtMs = nowMs;
    const dead = (await store.knownServers(database)).filter(({ silentMs }) => silentMs > sweepAfterMs);
    await store.removeLiveOf(
      database,
      dead.map(({ id }) => id),
    );
    const isReplaced = ({ url }: store.KnownServer) => this.#living.some((living) => living.url === url);
    for (const server of dead) {
      if (server.silentMs > missedForMs || isReplaced(server)) await store.removeServer(database, server.id);
    }
  }

  async #readOf(serverId: string): Promise<void> {
    const { database, register, lookFor } = this.#options;
    for (;;) {
      const rows = await store.liveSince(database, serverId, this.#seen.get(serverId) ?? 0, rowsAtOnce);
      for (const { deviceId, part, document, version } of rows) {
        await lookFor(deviceId);
        // Claimed here a moment ago and not yet written: this server's word is the newer one. What each has heard is put together instead.
        const isOurs = part !== 'heard' && this.#dirty.get(`${part} ${deviceId}`)?.isClaim === true;
        if (!isOurs) register.apply(deviceId, part, serverId, document);
        this.#seen.set(serverId, version);
      }
      if (rows.length < rowsAtOnce) return;
    }
  }
}
