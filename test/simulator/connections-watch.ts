/**
 * What must hold of connections that come and go: it is shown and told of once they were lost often enough, over kills of the server, and never
 * falsely; told once; and over by itself after a quiet time.
 */
import { conditionsOf } from '#fleet-server/devices/device-view.ts';
import { lossPolicy } from '#fleet-server/devices/losses.ts';
import type { AlertRuleRequest } from '#protocol/model/alert.ts';
import type { Beliefs } from './beliefs.ts';
import { windowLookMs } from './maintenance-watch.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { Member } from './world.ts';

export const unstable = 'connection-unstable';
export const unstableRule: Omit<AlertRuleRequest, 'channelIds'> = {
  name: 'unstable',
  trigger: { kind: 'condition', conditions: [unstable], severity: 'info' },
  forS: 3,
  severity: 'warning',
  group: null,
  enabled: true,
  quietHours: null,
  escalation: null,
};
/** A look here, two of the server, and what is written. */
const lookMs = 3000;
const meant = ['It disconnected.', 'The device was stopped.'];

type Seen = {
  wasOnline: boolean;
  closedAtMs: number | undefined;
  /** Of all that may have been a loss. */
  closings: number;
  /** Of those of which nothing may be lost: on a disk that took them. `offsetMs`: what the server's clock, by which it writes them, was ahead. */
  losses: { readonly atMs: number; readonly offsetMs: number }[];
};

export class ConnectionsWatch {
  readonly #seen = new Map<string, Seen>();
  /** Ids of alerts, by device. */
  readonly #told = new Map<string, Set<string>>();
  #server: SimulatedServer | null = null;
  #offsetMs = 0;
  /** Something may have been forgotten, so that it may be told again. */
  #mayHaveForgotten = false;

  look(server: SimulatedServer | null, database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs): void {
    if (server === null) {
      this.#server = null;
      return;
    }
    const offsetMs = server.wallMs() - beliefs.nowMs;
    if (server !== this.#server && offsetMs !== this.#offsetMs) this.#forget();
    if (database.isFull) this.#forget();
    this.#offsetMs = offsetMs;
    for (const member of members) this.#lookAt(server, member, server !== this.#server, beliefs);
    this.#server = server;
    this.#checkTold(database, members, beliefs);
  }

  #forget(): void {
    this.#mayHaveForgotten = true;
    for (const seen of this.#seen.values()) seen.losses = [];
  }

  #lookAt(server: SimulatedServer, { id }: Member, isNewServer: boolean, beliefs: Beliefs): void {
    const live = server.app.devices.get(id);
    if (live === undefined) return;
    const { nowMs } = beliefs;
    const seen = this.#seen.get(id) ?? { wasOnline: false, closedAtMs: undefined, closings: 0, losses: [] };
    this.#seen.set(id, seen);
    const closedAtMs = server.closedAtMs.get(id);
    if (closedAtMs !== undefined && closedAtMs !== seen.closedAtMs) seen.closings += 1;
    seen.closedAtMs = closedAtMs;
    if (isNewServer) this.#lookBack(seen, nowMs);
    const { state, reason } = live.presence;
    const isFree = (beliefs.lastsMs(id, 'free') ?? 0) > windowLookMs;
    const isLost = seen.wasOnline && !isNewServer && state === 'offline' && !meant.includes(reason) && isFree;
    seen.wasOnline = state === 'online';
    if (isLost) seen.losses.push({ atMs: nowMs, offsetMs: this.#offsetMs });
    const isShown = conditionsOf(live).some(({ code }) => code === unstable);
    beliefs.note(id, 'unstable', isShown);
    if (isShown && seen.closings < lossPolicy.least)
      throw new Error(`expected ${id} not to be shown as coming and going, it was closed ${seen.closings} times`);
    const losses = seen.losses.filter(({ atMs }) => nowMs - atMs < lossPolicy.withinMs);
    const isDue = losses.length >= lossPolicy.least && nowMs - (losses.at(-1)?.atMs ?? 0) < lossPolicy.quietMs;
    if (isDue && !isShown) throw new Error(`expected ${id} to be shown as coming and going, it was lost ${losses.length} times`);
  }

  /** What a server that was killed at once has not written it has told nobody; and how long ago it was a clock that was set since does not know. */
  #lookBack(seen: Seen, nowMs: number): void {
    const written = seen.losses.filter(({ atMs }) => nowMs - atMs > lookMs);
    seen.losses = written.filter(({ offsetMs }) => offsetMs === this.#offsetMs);
    if (seen.losses.length < written.length) this.#mayHaveForgotten = true;
  }

  #checkTold(database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs): void {
    const rows = database.rows(`select "id", "key", "resolvedAtMs" from "alerts"`);
    const pendings = database.rows(`select "key", "gatheredAs" from "alertPendings"`);
    for (const { id } of members) {
      const own = rows.filter(({ key }) => String(key).endsWith(`/${id}/${unstable}`));
      const told = this.#told.get(id) ?? new Set();
      this.#told.set(id, told);
      for (const row of own) told.add(String(row['id']));
      if (told.size > 1 && !this.#mayHaveForgotten)
        throw new Error(`expected one alert of ${id} that comes and goes, there were ${told.size}`);
      const isOpen = own.some(({ resolvedAtMs }) => resolvedAtMs === null);
      const isGathered = pendings.some(({ key, gatheredAs }) => String(key).endsWith(`/${id}/${unstable}`) && gatheredAs !== null);
      const isAwayTold = isAway(id, rows, pendings);
      beliefs.note(id, 'told of as away', isAwayTold);
      beliefs.note(id, 'not told of as away', !isAwayTold);
      const dueMs = unstableRule.forS * 1000 + lookMs;
      const freeMs = beliefs.lastsMs(id, 'free') ?? 0;
      const lastsMs = Math.min(
        beliefs.lastsMs(id, 'unstable') ?? 0,
        beliefs.lastsMs(id, 'known') ?? 0,
        freeMs - windowLookMs,
        beliefs.lastsMs(id, 'not told of as away') ?? 0,
      );
      if (!isOpen && !isGathered && lastsMs > dueMs && beliefs.isDiskGoodFor(lastsMs))
        throw new Error(`expected an alert of ${id}, which comes and goes, there is none`);
    }
  }

  /** Of devices of which that is told. */
  open(database: SimulatedDatabase): string[] {
    return database
      .rows(`select "title" from "alerts" where "resolvedAtMs" is null and "key" like '%${unstable}%'`)
      .map(({ title }) => String(title));
  }
}

type Rows = ReturnType<SimulatedDatabase['rows']>;

function isAway(id: string, alerts: Rows, pendings: Rows): boolean {
  const isOf = ({ key }: Rows[number]) => String(key).endsWith(`/${id}/offline`);
  return alerts.some((row) => isOf(row) && row['resolvedAtMs'] === null) || pendings.some((row) => isOf(row) && row['gatheredAs'] !== null);
}
