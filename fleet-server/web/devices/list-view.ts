/** What of the fleet the list of devices shows: it stands in the page's address, so that it can be sent to somebody and come back to. Pure. */
import { type DeviceMatch, type DeviceSort, streamKinds } from '#protocol/model/device.ts';
import { asWord, maxWordLength } from './group-words.ts';

/** Fills rows of two to five cards. */
export const pageSize = 60;

export const listOrders = [
  { name: 'urgent', words: 'Most urgent first', sort: 'urgency', isDescending: false },
  { name: 'name', words: 'By name', sort: 'name', isDescending: false },
  { name: 'changed', words: 'Newest change first', sort: 'state-since', isDescending: true },
  { name: 'unheard', words: 'Longest unheard first', sort: 'heard', isDescending: false },
  { name: 'bitrate', words: 'Lowest bitrate first', sort: 'bitrate', isDescending: false },
  { name: 'hot', words: 'Hottest first', sort: 'temperature', isDescending: true },
] as const satisfies readonly { name: string; words: string; sort: DeviceSort; isDescending: boolean }[];
export type ListOrder = (typeof listOrders)[number];

export type ListView = {
  readonly match: Pick<DeviceMatch, 'search' | 'state' | 'group' | 'tag' | 'blocked'>;
  readonly order: ListOrder;
  /** From 1. */
  readonly page: number;
};

export const maxSearchLength = 200;
const maxPage = 10_000;

/** What it does not know in an address counts for nothing. */
export function readView(address: URLSearchParams): ListView {
  const search = (address.get('search') ?? '').slice(0, maxSearchLength);
  const word = (name: 'group' | 'tag'): string | null => {
    const text = address.get(name) ?? '';
    return text !== '' && text === asWord(text) && text.length <= maxWordLength ? text : null;
  };
  const [group, tag] = [word('group'), word('tag')];
  const state = streamKinds.find((kind) => kind === address.get('state'));
  const page = Number(address.get('page') ?? 1);
  return {
    match: {
      ...(search.trim() === '' ? {} : { search }),
      ...(state === undefined ? {} : { state }),
      ...(address.get('blocked') === 'true' ? { blocked: true } : {}),
      ...(group === null ? {} : { group }),
      ...(tag === null ? {} : { tag }),
    },
    order: listOrders.find(({ name }) => name === address.get('order')) ?? listOrders[0],
    page: Number.isInteger(page) && page >= 1 && page <= maxPage ? page : 1,
  };
}

function asTexts(match: ListView['match']): Record<string, string> {
  return Object.fromEntries(Object.entries(match).map(([name, value]) => [name, String(value)]));
}

export function writeView({ match, order, page }: ListView): URLSearchParams {
  return new URLSearchParams({
    ...asTexts(match),
    ...(order === listOrders[0] ? {} : { order: order.name }),
    ...(page === 1 ? {} : { page: String(page) }),
  });
}

/** As the server is asked. */
export function listQuery({ match, order, page }: ListView): string {
  const query = new URLSearchParams({
    ...asTexts(match),
    sort: order.sort,
    ...(order.isDescending ? { descending: 'true' } : {}),
    limit: String(pageSize),
    skip: String((page - 1) * pageSize),
  });
  return query.toString();
}

export function pageCount(total: number): number {
  return Math.max(1, Math.ceil(total / pageSize));
}

export const isFiltered = ({ match }: Pick<ListView, 'match'>): boolean => Object.keys(match).length > 0;
