/** What the fleet server that runs believes of the devices, and since when it has done so without a break. */
import { shownConditions } from '#fleet-server/devices/device-view.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { Member } from './world.ts';

export type Belief =
  | 'online'
  | 'offline'
  | 'failed'
  | 'well'
  | 'live'
  | 'down'
  | 'running'
  | 'silenced'
  | 'free'
  | 'waits'
  | 'unstable'
  | 'known'
  | 'not told of as away';

/** What comes and goes within the product’s ten seconds of calm, of which it looks each second, is the same trouble. */
const calmMs = 11_500;

export class Beliefs {
  #server: SimulatedServer | null = null;
  readonly #since = new Map<string, number>();
  /** Since when something is wrong, over lives of the server and over short recoveries. */
  readonly #trouble = new Map<string, number>();
  nowMs = 0;
  /** When the server's disk was full last, and when its store was last out of reach. */
  lastFullMs = Number.NEGATIVE_INFINITY;

  look(server: SimulatedServer | null, isFull: boolean, members: readonly Member[], nowMs: number, isRelayDown: boolean): void {
    this.nowMs = nowMs;
    if (isFull) this.lastFullMs = nowMs;
    if (server !== this.#server) this.#since.clear();
    this.#server = server;
    this.note('relay', 'down', server !== null && isRelayDown);
    this.note('relay', 'running', server !== null && !isRelayDown);
    this.#noteTrouble('relay', 'down', isRelayDown, this.lastsMs('relay', 'running'));
    for (const { id } of members) {
      const live = server?.app.devices.get(id);
      const isOnline = live?.presence.state === 'online';
      const isFailed = isOnline && live.media?.kind === 'failed';
      this.note(id, 'online', isOnline);
      this.note(id, 'known', live !== undefined && live.presence.state !== 'unknown');
      // One that has never been there is not missed.
      this.note(id, 'offline', live?.presence.state === 'offline' && live.session !== null);
      this.note(id, 'failed', isFailed);
      this.note(id, 'well', isOnline && live.media !== null && !isFailed);
      this.note(id, 'live', live?.stream.kind === 'live');
      // The watchdog's concern, in this connection.
      this.note(id, `connection ${live?.presence.since}`, isOnline);
      this.#noteTrouble(id, 'offline', !isOnline, this.lastsMs(id, 'online'));
      this.#noteTrouble(id, 'pipeline-failed', isFailed, this.lastsMs(id, 'well'));
    }
  }

  /** Null: it is not so. */
  lastsMs(id: string, belief: Belief): number | null {
    const since = this.#since.get(`${id} ${belief}`);
    return since === undefined ? null : this.nowMs - since;
  }

  connectionLastsMs(id: string): number {
    const since = this.#since.get(`${id} connection ${this.#server?.app.devices.get(id)?.presence.since}`);
    return since === undefined ? 0 : this.nowMs - since;
  }

  /** Null: nothing is wrong, and has not been for a while. */
  troubleMs(id: string, cause: string): number | null {
    const since = this.#trouble.get(`${id} ${cause}`);
    return since === undefined ? null : this.nowMs - since;
  }

  isDiskGoodFor(ms: number): boolean {
    return this.nowMs - this.lastFullMs > ms;
  }

  /** Codes of what is believed to be critical. */
  criticalOf(id: string): string[] {
    const live = this.#server?.app.devices.get(id);
    return live === undefined ? [] : shownConditions(live).flatMap(({ code }) => (critical.has(code) ? [code] : []));
  }

  note(id: string, belief: string, isSo: boolean): void {
    const key = `${id} ${belief}`;
    if (!isSo) this.#since.delete(key);
    else if (!this.#since.has(key)) this.#since.set(key, this.nowMs);
  }

  #noteTrouble(id: string, cause: string, isSo: boolean, goodMs: number | null): void {
    const key = `${id} ${cause}`;
    if (isSo && !this.#trouble.has(key)) this.#trouble.set(key, this.nowMs);
    if (goodMs !== null && goodMs >= calmMs) this.#trouble.delete(key);
  }
}

const critical: ReadonlySet<string> = new Set(['pipeline-failed', 'no-signal', 'output-down', 'stream-not-arriving']);
