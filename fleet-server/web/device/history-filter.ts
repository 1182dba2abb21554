/** What of a device's history is shown; it stands in the page's address. Pure. */
import { type HistoryEntry, type HistoryKinds, type HistoryOrigin, historyOrigins } from '#protocol/model/history.ts';
import { inWords } from '../status/conditions.ts';
import { durationWords } from '../time/words.ts';

/** Empty: whichever it is. */
export type HistoryFilter = { readonly origin: HistoryOrigin | ''; readonly kind: string };

export const originTitles = {
  device: 'The device',
  server: 'The fleet server',
  watchdog: 'The watchdog',
  person: 'A person',
} as const satisfies { readonly [Origin in HistoryOrigin]: string };

/** What it does not know counts for nothing. */
export function readHistoryFilter(address: URLSearchParams): HistoryFilter {
  const kind = address.get('kind') ?? '';
  return { origin: originNamed(address.get('origin') ?? ''), kind: /^[a-z0-9-]{1,64}$/.test(kind) ? kind : '' };
}

/** For the address, and as the server is asked. */
export function historyQueryOf({ origin, kind }: HistoryFilter): URLSearchParams {
  return new URLSearchParams({ ...(origin === '' ? {} : { origin }), ...(kind === '' ? {} : { kind }) });
}

export function originNamed(name: string): HistoryFilter['origin'] {
  return historyOrigins.find((origin) => origin === name) ?? '';
}

type KindChoice = { readonly value: string; readonly label: string };

/** Of whom is asked for, with how many there are; the one that is chosen is always among them. */
export function kindChoices(kinds: HistoryKinds['kinds'], { origin, kind: chosen }: HistoryFilter): readonly KindChoice[] {
  const counts = new Map<string, number>(chosen === '' ? [] : [[chosen, 0]]);
  for (const { origin: its, kind, count } of kinds) {
    if (origin === '' || its === origin) counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  return [...counts]
    .map(([value, count]) => ({ value, label: `${inWords(value)} (${count})` }))
    .toSorted((a, b) => (a.label < b.label ? -1 : 1));
}

/** With another origin a kind that it never had is let go. */
export function withOrigin(filter: HistoryFilter, origin: HistoryFilter['origin'], kinds: HistoryKinds['kinds']): HistoryFilter {
  const isKept = origin === '' || kinds.some((known) => known.kind === filter.kind && known.origin === origin);
  return { origin, kind: isKept ? filter.kind : '' };
}

/** What is told so soon is told at once. */
const lateAfterMs = 5000;

/** "reported 2 h later"; null: it was told at once. */
export function lateWords({ at, arrivedAt }: Pick<HistoryEntry, 'at' | 'arrivedAt'>): string | null {
  const lateMs = Date.parse(arrivedAt) - Date.parse(at);
  return lateMs <= lateAfterMs ? null : `reported ${durationWords(lateMs)} later`;
}
