/**
 * Notices that a network has come (back): a link that is up, or a route, that was not there a second ago. By looking, not by
 * listening: netlink cannot be reached from here, and the look costs a fifth of a millisecond.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '#device/media/clock.ts';

const lookIntervalMs = 1000;

/** Each link that is up and each route, as a word. */
export type NetworkFacts = ReadonlySet<string>;

/** Something is there that was not: a try may succeed now. What has gone is no news for one who waits. */
export function hasComeBack(before: NetworkFacts, now: NetworkFacts): boolean {
  return [...now].some((fact) => !before.has(fact));
}

/** Interface, destination and gateway of /proc/net/route; the interface of a default route of /proc/net/ipv6_route. Pure. */
export function parseRoutes(table: string, table6: string): readonly string[] {
  const routes = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/).slice(0, 3))
    .filter(([name, destination]) => destination !== undefined && name !== 'lo')
    .map((fields) => `route ${fields.join(' ')}`);
  const defaults = table6
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => /^0{32}$/.test(fields[0] ?? '') && fields[1] === '00' && fields[9] !== undefined && fields[9] !== 'lo')
    .map((fields) => `route6 ${fields[4]} ${fields[9]}`);
  return [...routes, ...defaults];
}

export class NetworkWatch {
  readonly #clock: Clock;
  readonly #look: () => NetworkFacts;
  readonly #onReturn: () => void;
  #facts: NetworkFacts = new Set();
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, onReturn: () => void, look: () => NetworkFacts = lookAtNetwork) {
    this.#clock = clock;
    this.#onReturn = onReturn;
    this.#look = look;
  }

  start(): void {
    this.#facts = this.#look();
    this.#schedule();
  }

  /** May be called twice. */
  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(() => {
      const facts = this.#look();
      const isBack = hasComeBack(this.#facts, facts);
      this.#facts = facts;
      this.#schedule();
      if (isBack) this.#onReturn();
    }, lookIntervalMs);
  }
}

function lookAtNetwork(): NetworkFacts {
  const links = namesIn('/sys/class/net')
    .filter((name) => name !== 'lo' && isUp(readOrEmpty(`/sys/class/net/${name}/operstate`), readOrEmpty(`/sys/class/net/${name}/carrier`)))
    .map((name) => `link ${name}`);
  return new Set([...links, ...parseRoutes(readOrEmpty('/proc/self/net/route'), readOrEmpty('/proc/self/net/ipv6_route'))]);
}

/** Some drivers tell no state but only a carrier. */
function isUp(operstate: string, carrier: string): boolean {
  return operstate.trim() === 'up' || (operstate.trim() === 'unknown' && carrier.trim() === '1');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The carrier of a link that is down cannot be read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
