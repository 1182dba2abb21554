/**
 * `app.relays`: how the relay of this server is, and those of the others.
 *
 * INVARIANT: each server speaks for its own relay; of a server that is silent nothing is believed but that it is silent.
 */
import type { Clock } from '#fleet-server/clock.ts';
import type { RelayState } from '#fleet-server/relay/contract.ts';
import {
  differ,
  followRelays,
  hostOf,
  isSame,
  type RelayHealth,
  type RelayReport,
  relayReport,
  type ServerWord,
  wordsOf,
} from '#fleet-server/servers/relay-health.ts';

/** Three heartbeats of a server, and one that was slow. */
export const silentForMs = 7000;
/** Lives of servers of which it is remembered where they were. */
const maxAddresses = 1000;

export type FleetRelaysOptions = {
  /** Of this life of this server. */
  readonly serverId: string;
  /** Where it is; null: it is the only one. */
  readonly url: string | null;
  readonly clock: Clock;
  /** Null: it is not there yet. */
  own(): RelayState | null;
};

export class FleetRelays {
  readonly #options: FleetRelaysOptions;
  readonly #listeners: (() => void)[] = [];
  /** Of each life of a server that was seen: a device may have streamed to one that has been started anew since. */
  readonly #addresses = new Map<string, string>();
  #own: RelayHealth;
  #others: ReadonlyMap<string, RelayHealth> = new Map();

  constructor(options: FleetRelaysOptions) {
    this.#options = options;
    this.#own = { serverId: options.serverId, server: this.#server(), kind: 'unknown', detail: '', sinceMs: options.clock.nowMs() };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** What this server tells the others. */
  report(): RelayReport {
    return relayReport(this.#options.own());
  }

  /** This server's own relay may have changed its state. */
  ownChanged(): void {
    for (const listener of this.#listeners) listener();
  }

  /** What the table says of the servers, this one among them. */
  take(words: readonly ServerWord[]): void {
    const before = this.#others;
    this.#others = followRelays(before, words, this.#options.serverId, silentForMs, this.#options.clock.nowMs());
    for (const { id, url } of words) this.#remember(id, hostOf(url));
    if (!differ(before, this.#others)) return;
    for (const listener of this.#listeners) listener();
  }

  /** This server's first. */
  all(): RelayHealth[] {
    return [this.#readOwn(), ...this.#others.values()];
  }

  /** Null: this server's. Of a server that was stopped in order, and is not missed, too: its devices look for another one. */
  of(serverId: string | null): RelayHealth {
    if (serverId === null) return this.#readOwn();
    const known = this.#others.get(serverId);
    if (known !== undefined) return known;
    const address = this.#addresses.get(serverId);
    return [...this.#others.values()].find(({ server }) => server === address) ?? this.#readOwn();
  }

  #server(): string | null {
    const { url } = this.#options;
    return url === null ? null : hostOf(url);
  }

  /** The same object as long as nothing changes. */
  #readOwn(): RelayHealth {
    const state = this.#options.own();
    const { kind, detail } = relayReport(state);
    const sinceMs = state?.sinceMs ?? this.#own.sinceMs;
    const { serverId } = this.#options;
    const server = this.#server();
    const health: RelayHealth = { serverId, server, kind, detail: wordsOf(kind, server, detail, sinceMs), sinceMs };
    if (!isSame(this.#own, health)) this.#own = health;
    return this.#own;
  }

  #remember(serverId: string, address: string): void {
    if (this.#addresses.has(serverId)) return;
    this.#addresses.set(serverId, address);
    const oldest = this.#addresses.keys().next();
    if (this.#addresses.size > maxAddresses && oldest.done !== true) this.#addresses.delete(oldest.value);
  }
}
