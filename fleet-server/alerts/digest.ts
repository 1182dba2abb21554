/**
 * When a channel is told too much one by one: what is due there becomes one message. Pure.
 *
 * INVARIANTS
 * - In ten minutes a channel gets `singles` messages of one alert each, and past that one digest a minute.
 * - A digest holds all that is due, up to `mostInDigest`; the rest is in the next one.
 */
import { unwatchedBecause } from '#fleet-server/alerts/alert-end.ts';
import type { AlertDigest, AlertNotice, AlertSeverity } from '#protocol/model/alert.ts';

export const digestPolicy = { singles: 20, windowMs: 600_000, gapMs: 60_000, mostInDigest: 500 } as const;

/** What a channel was told of late; kept in the store, so that a restart begins no new count. */
export type Told = { readonly singlesAtMs: readonly number[]; readonly digestAtMs: number | null };
export const nothingTold: Told = { singlesAtMs: [], digestAtMs: null };

export type TellingPlan = { readonly kind: 'singles'; readonly most: number } | { readonly kind: 'digest' } | { readonly kind: 'wait' };

export function planTelling(told: Told, nowMs: number): TellingPlan {
  const { singles, gapMs } = digestPolicy;
  const room = singles - recent(told, nowMs).singlesAtMs.length;
  if (room > 0) return { kind: 'singles', most: room };
  // A clock that was set back holds nothing up.
  const isSoon = told.digestAtMs !== null && told.digestAtMs <= nowMs && nowMs - told.digestAtMs < gapMs;
  return { kind: isSoon ? 'wait' : 'digest' };
}

/** What counts still. */
export function recent({ singlesAtMs, digestAtMs }: Told, nowMs: number): Told {
  return { singlesAtMs: singlesAtMs.filter((atMs) => atMs <= nowMs && nowMs - atMs < digestPolicy.windowMs), digestAtMs };
}

/** `id`: the same for the same notices. `url`: of the page of alerts. */
export function digestOf(id: string, notices: readonly AlertNotice[], url: string | null): AlertDigest {
  const lines = linesOf(notices);
  const count = (kind: Line['kind']) => lines.filter((line) => line.kind === kind).length;
  const parts = [
    [count('opened'), 'new'],
    [count('escalated'), 'that nobody has acknowledged'],
    [count('acknowledged'), 'acknowledged late'],
    [count('resolved'), 'recovered'],
    [count('passed'), 'that came and went'],
    [count('unwatched'), 'no longer watched'],
  ] as const;
  const said = parts.flatMap(([number, words]) => (number === 0 ? [] : [`${number} ${words}`]));
  return {
    event: 'digest',
    id,
    title: `${lines.length} ${lines.length === 1 ? 'alert' : 'alerts'}: ${said.join(', ')}`,
    notices: [...notices],
    url,
  };
}

const words = {
  opened: '',
  escalated: 'Nobody has acknowledged: ',
  acknowledged: 'Acknowledged late: ',
  resolved: 'Recovered: ',
  passed: 'Came and went: ',
  unwatched: 'No longer watched: ',
} as const;
const severities = ['critical', 'warning', 'info'] as const satisfies readonly AlertSeverity[];

type Line = { readonly kind: keyof typeof words; readonly notice: AlertNotice };

function isOver({ kind }: Line): boolean {
  return kind === 'resolved' || kind === 'passed' || kind === 'unwatched';
}

/** One of each alert: what is worst and still wrong first. */
function linesOf(notices: readonly AlertNotice[]): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const notice of notices) {
    const { id } = notice.alert;
    const before = lines.get(id);
    if (unwatchedBecause(notice) !== null) lines.set(id, { kind: 'unwatched', notice });
    else if (notice.event === 'resolved') lines.set(id, { kind: before?.kind === 'opened' ? 'passed' : 'resolved', notice });
    else if (notice.event === 'escalated')
      lines.set(id, { kind: notice.alert.acknowledgedBy === null ? 'escalated' : 'acknowledged', notice });
    else if (before === undefined) lines.set(id, { kind: 'opened', notice });
  }
  const rank = (line: Line) => (isOver(line) ? severities.length : 0) + severities.indexOf(line.notice.alert.severity);
  return [...lines.values()].toSorted((a, b) => rank(a) - rank(b));
}

/** A line each, with times where they help: in UTC, as notices have them. */
export function digestLines({ notices }: AlertDigest): readonly string[] {
  return linesOf(notices).map(({ kind, notice }) => {
    const { alert } = notice;
    const why = unwatchedBecause(notice);
    const since = `since ${alert.openedAt}${alert.resolvedAt === null ? '' : ` until ${alert.resolvedAt}`}`;
    return `${words[kind]}${alert.title} (${alert.severity}, ${since}${why === null ? '' : `, ${why}`})`;
  });
}

/** As many lines as there is room for, and how many more there are. */
export function shortened(lines: readonly string[], maxBytes: number): string {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    // Room for the last line.
    if (bytes > maxBytes - 20) break;
    kept.push(line);
  }
  const more = lines.length - kept.length;
  return more === 0 ? kept.join('\n') : [...kept, `and ${more} more`].join('\n');
}

/** The worst of what is still wrong; null: all of it is over. */
export function worstOf({ notices }: AlertDigest): AlertSeverity | null {
  const first = linesOf(notices)[0];
  return first === undefined || isOver(first) ? null : first.notice.alert.severity;
}
