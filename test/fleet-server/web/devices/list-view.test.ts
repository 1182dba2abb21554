import { expect, test } from 'vitest';
import { listOrders, listQuery, pageCount, readView, writeView } from '#fleet-server/web/devices/list-view.ts';

test('a view stands in the address and comes back from it', () => {
  const view = {
    match: { search: 'main hall', state: 'offline', group: 'hall-1', tag: 'upstairs', blocked: true },
    order: listOrders[5],
    page: 3,
  } as const;
  expect(readView(writeView(view))).toEqual(view);
  expect(writeView(readView(new URLSearchParams())).toString()).toBe('');
});

test.each([
  ['state=dancing'],
  ['blocked=false'],
  ['blocked=perhaps'],
  ['order=beauty'],
  ['page=0'],
  ['page=1.5'],
  ['page=x'],
  ['page=99999999'],
  ['group=Hall%201'],
  ['tag=%25'],
  ['search=%20%20'],
])('%s in an address counts for nothing', (address) => {
  expect(readView(new URLSearchParams(address))).toEqual({ match: {}, order: listOrders[0], page: 1 });
});

test('a search is no longer than the server takes', () => {
  expect(readView(new URLSearchParams({ search: 'a'.repeat(10_000) })).match.search).toHaveLength(200);
});

test('the server is asked for one page in the chosen order', () => {
  expect(listQuery({ match: { state: 'live', blocked: true }, order: listOrders[5], page: 2 })).toBe(
    'state=live&blocked=true&sort=temperature&descending=true&limit=60&skip=60',
  );
  expect([0, 60, 61, 10_000].map(pageCount)).toEqual([1, 1, 2, 167]);
});
