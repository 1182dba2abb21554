/** The relay of each fleet server, as it is known at this one. Pure. */
import { timestamp } from '#fleet-server/clock.ts';
import type { RelayState } from '#fleet-server/relay/contract.ts';

/** What a server says of its own relay; `unknown`: it has only just started, or is about to stop. */
export type RelayReport = { readonly kind: 'unknown' | 'running' | 'down'; readonly detail: string };

/** A server in the table, and for how long it has said nothing, by the database's clock. */
export type ServerWord = { readonly id: string; readonly url: string; readonly relay: RelayReport; readonly silentMs: number };

export type RelayHealth = {
  readonly serverId: string;
  /** Name and port of that server; null: there is only one. */
  readonly server: string | null;
  /** `gone`: the server itself is not heard any more, and nobody knows what its relay does. */
  readonly kind: RelayReport['kind'] | 'gone';
  /** What is wrong, in words; empty when nothing is. */
  readonly detail: string;
  /** Since when that has been so, by this server's clock. */
  readonly sinceMs: number;
};

export function relayReport(state: RelayState | null): RelayReport {
  if (state === null) return { kind: 'unknown', detail: '' };
  switch (state.kind) {
    case 'stopped':
    case 'starting':
      return { kind: 'unknown', detail: '' };
    case 'running':
      return { kind: 'running', detail: '' };
    case 'restarting':
      return { kind: 'down', detail: state.detail };
    default:
      return state.kind satisfies never;
  }
}

export function isRelayBad({ kind }: Pick<RelayHealth, 'kind'>): boolean {
  return kind === 'down' || kind === 'gone';
}

/** Of the other servers than `ownId`; what has not changed is the same object as before. */
export function followRelays(
  before: ReadonlyMap<string, RelayHealth>,
  words: readonly ServerWord[],
  ownId: string,
  silentForMs: number,
  nowMs: number,
): ReadonlyMap<string, RelayHealth> {
  const next = new Map<string, RelayHealth>();
  for (const word of words) {
    if (word.id === ownId) continue;
    const isGone = word.silentMs > silentForMs;
    // It was started again, or another one has taken its place.
    if (isGone && words.some(({ url, silentMs }) => url === word.url && silentMs < word.silentMs)) continue;
    const known = before.get(word.id);
    const kind: RelayHealth['kind'] = isGone ? 'gone' : word.relay.kind;
    const sinceMs = known?.kind === kind ? known.sinceMs : isGone ? nowMs - word.silentMs : nowMs;
    const server = hostOf(word.url);
    const health = { serverId: word.id, server, kind, detail: wordsOf(kind, server, word.relay.detail, sinceMs), sinceMs };
    next.set(word.id, known !== undefined && isSame(known, health) ? known : health);
  }
  return next;
}

/** Whether anything differs that somebody would be told of. */
export function differ(before: ReadonlyMap<string, RelayHealth>, after: ReadonlyMap<string, RelayHealth>): boolean {
  return before.size !== after.size || [...after].some(([id, health]) => before.get(id) !== health);
}

export function isSame(one: RelayHealth, other: RelayHealth): boolean {
  return one.kind === other.kind && one.detail === other.detail && one.sinceMs === other.sinceMs;
}

export function wordsOf(kind: RelayHealth['kind'], server: string | null, detail: string, sinceMs: number): string {
  if (kind === 'gone') return `The fleet server ${server ?? ''} was last heard at ${timestamp(sinceMs)}: its relay may be down with it.`;
  if (kind !== 'down') return '';
  return `The relay${server === null ? '' : ` of ${server}`} is down${detail === '' ? '.' : `: ${detail}`}`.slice(0, 500);
}

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
