/**
 * The list of devices: which of them are meant, how many there are in each state, in which order, and one page of that. Pure.
 *
 * INVARIANTS
 * - Every device has a place of its own in each order (by its id in the end), so that who goes on from a device misses none that stays
 *   where it is.
 * - Rows come in order of their names (sort-name.ts): nothing is sorted by text for an answer.
 */
import type { ListRow } from '#fleet-server/devices/list-rows.ts';
import { compareNames, type Named } from '#fleet-server/devices/sort-name.ts';
import { ofSettingsTrouble } from '#fleet-server/devices/urgency.ts';
import { type DeviceMatch, type DeviceSort, type StateCount, streamKinds } from '#protocol/model/device.ts';

/** What is looked through for words. */
export type TextOf = (row: ListRow) => string;

export type ListOrder = { readonly sort: DeviceSort; readonly isDescending: boolean };

/** A device's place in an order: smaller values first, and those without one last; then by name, then by id. */
export type ListPosition = Named & { readonly value: number | null };

export type ListRequest = {
  readonly match: DeviceMatch;
  readonly textOf: TextOf;
  readonly order: ListOrder;
  readonly start: { readonly kind: 'skip'; readonly count: number } | { readonly kind: 'after'; readonly position: ListPosition };
  readonly limit: number;
  /** Devices whose settings were refused, or that report others. */
  readonly settingsTrouble: ReadonlySet<string>;
};

export type ListPage = {
  readonly rows: readonly ListRow[];
  readonly total: number;
  /** Of those that would match in any state, shut out or not. */
  readonly states: readonly StateCount[];
  /** Of the same, how many are shut out. */
  readonly blocked: number;
  /** How many come before the first of the page. */
  readonly before: number;
  /** Of the last one on the page; null: none comes after it. */
  readonly next: ListPosition | null;
};

export function listDevices(rowsByName: readonly ListRow[], request: ListRequest): ListPage {
  const { match, textOf, order, start, limit, settingsTrouble } = request;
  const { found, states, blocked } = find(rowsByName, match, textOf);
  const valueAt = (row: ListRow): number | null => signed(figureOf(row, order.sort, settingsTrouble), order);
  const positionOf = (row: ListRow): ListPosition => ({ value: valueAt(row), name: row.name, id: row.id });
  const placed = inOrder(found, order, valueAt);
  const before =
    start.kind === 'skip'
      ? Math.min(start.count, placed.length)
      : countUpTo(placed, (row) => comparePositions(positionOf(row), start.position, order) > 0);
  const page = placed.slice(before, before + limit);
  const last = page.at(-1);
  return {
    rows: page,
    total: placed.length,
    states,
    blocked,
    before,
    next: last !== undefined && before + page.length < placed.length ? positionOf(last) : null,
  };
}

/** The ids of all that match. */
export function matchingIds(rows: readonly ListRow[], match: DeviceMatch, textOf: TextOf): readonly string[] {
  return find(rows, match, textOf).found.map(({ id }) => id);
}

type Found = Pick<ListPage, 'states' | 'blocked'> & { readonly found: readonly ListRow[] };

function find(rows: readonly ListRow[], match: DeviceMatch, textOf: TextOf): Found {
  const words = wordsOf(match.search ?? '');
  const isOfAll = words.length === 0 && match.group === undefined && match.tag === undefined && match.waiting === undefined;
  const alike = isOfAll ? rows : rows.filter((row) => isIn(row, match) && (words.length === 0 || hasWords(textOf(row), words)));
  const isOfAny = match.state === undefined && match.blocked === undefined;
  return { found: isOfAny ? alike : alike.filter((row) => isAs(row, match)), ...countsOf(alike) };
}

/** Nearly always one has the state of the one before it. */
function countsOf(rows: readonly ListRow[]): Pick<Found, 'states' | 'blocked'> {
  const counts = new Map<string, number>();
  let state = '';
  let alike = 0;
  let blocked = 0;
  const note = () => counts.set(state, (counts.get(state) ?? 0) + alike);
  for (const row of rows) {
    if (row.state !== state) {
      note();
      state = row.state;
      alike = 0;
    }
    alike += 1;
    if (row.isBlocked) blocked += 1;
  }
  note();
  const states = streamKinds.flatMap((kind) => {
    const count = counts.get(kind) ?? 0;
    return count === 0 ? [] : [{ state: kind, count }];
  });
  return { states, blocked };
}

function isAs(row: ListRow, { state, blocked }: DeviceMatch): boolean {
  return (state === undefined || state === row.state) && (blocked === undefined || blocked === row.isBlocked);
}

function wordsOf(search: string): readonly string[] {
  return search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

function hasWords(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word));
}

function isIn(row: ListRow, { group, tag, waiting }: DeviceMatch): boolean {
  if (group !== undefined && row.group !== group) return false;
  if (tag !== undefined && !row.tags.includes(` ${tag} `)) return false;
  return waiting === undefined || waiting === (row.waitingSinceMs !== null);
}

/** Of those with the same value the order that they come in, which is that of their names, stays. */
function inOrder(
  rows: readonly ListRow[],
  { sort, isDescending }: ListOrder,
  valueAt: (row: ListRow) => number | null,
): readonly ListRow[] {
  if (sort === 'name') return isDescending ? rows.toReversed() : rows;
  const byValue = new Map<number | null, ListRow[]>();
  for (const row of rows) {
    const value = valueAt(row);
    const same = byValue.get(value);
    if (same === undefined) byValue.set(value, [row]);
    else same.push(row);
  }
  return [...byValue].sort(([a], [b]) => compareValues(a, b)).flatMap(([, same]) => same);
}

function signed(value: number | null, { isDescending }: ListOrder): number | null {
  return value === null || !isDescending ? value : -value;
}

function figureOf(row: ListRow, sort: DeviceSort, settingsTrouble: ReadonlySet<string>): number | null {
  switch (sort) {
    case 'name':
      return 0;
    case 'urgency':
      // What one that is shut out reports of its settings is old.
      return settingsTrouble.has(row.id) && !row.isBlocked ? Math.min(row.urgency, ofSettingsTrouble) : row.urgency;
    case 'state-since':
      return row.stateSinceMs;
    case 'heard':
      return row.heardAtMs;
    case 'bitrate':
      return row.bitrateKbps;
    case 'temperature':
      return row.temperatureC;
    case 'waiting':
      return row.waitingSinceMs;
    default:
      return sort satisfies never;
  }
}

function comparePositions(a: ListPosition, b: ListPosition, { sort, isDescending }: ListOrder): number {
  const names = compareNames(a, b);
  return compareValues(a.value, b.value) || (sort === 'name' && isDescending ? -names : names);
}

function compareValues(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null ? -1 : a - b;
}

/** How many come before the first that is beyond, by halving. */
function countUpTo(placed: readonly ListRow[], isBeyond: (row: ListRow) => boolean): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = placed[middle];
    if (row === undefined || isBeyond(row)) high = middle;
    else low = middle + 1;
  }
  return low;
}
