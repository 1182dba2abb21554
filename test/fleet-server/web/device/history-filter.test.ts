import { expect, test } from 'vitest';
import {
  type HistoryFilter,
  historyQueryOf,
  kindChoices,
  lateWords,
  readHistoryFilter,
  withOrigin,
} from '#fleet-server/web/device/history-filter.ts';
import type { HistoryKinds } from '#protocol/model/history.ts';

test.each<[string, HistoryFilter]>([
  ['', { origin: '', kind: '' }],
  ['origin=watchdog', { origin: 'watchdog', kind: '' }],
  ['origin=person&kind=restart-pipeline', { origin: 'person', kind: 'restart-pipeline' }],
])('the address ?%s is read and written', (address, filter) => {
  expect(readHistoryFilter(new URLSearchParams(address))).toEqual(filter);
  expect(historyQueryOf(filter).toString()).toBe(address);
});

test('what an address says that nobody knows counts for nothing', () => {
  expect(readHistoryFilter(new URLSearchParams('origin=nobody&kind=Two words'))).toEqual({ origin: '', kind: '' });
});

const kinds: HistoryKinds['kinds'] = [
  { origin: 'server', kind: 'device-online', count: 3 },
  { origin: 'device', kind: 'restarted', count: 2 },
  { origin: 'person', kind: 'restarted', count: 1 },
];

test.each<[HistoryFilter['origin'], string, string[]]>([
  ['', '', ['Device online (3)', 'Restarted (3)']],
  ['person', '', ['Restarted (1)']],
  ['person', 'device-online', ['Device online (0)', 'Restarted (1)']],
  ['', 'gone', ['Device online (3)', 'Gone (0)', 'Restarted (3)']],
])('kinds to choose from, of %j with %j chosen', (origin, kind, expected) => {
  expect(kindChoices(kinds, { origin, kind }).map(({ label }) => label)).toEqual(expected);
});

test.each<[HistoryFilter['origin'], string]>([
  ['device', 'restarted'],
  ['person', 'restarted'],
  ['server', ''],
  ['', 'restarted'],
])('with the origin %j the kind is %j', (origin, kind) => {
  expect(withOrigin({ origin: '', kind: 'restarted' }, origin, kinds)).toEqual({ origin, kind });
});

test.each<[string, string | null]>([
  ['2026-11-21T12:00:00.000Z', null],
  ['2026-11-21T12:00:05.000Z', null],
  ['2026-11-21T12:00:42.000Z', 'reported 42 s later'],
  ['2026-11-21T14:00:00.000Z', 'reported 2 h later'],
  ['2026-11-21T11:00:00.000Z', null],
])('what happened at twelve and arrived at %s', (arrivedAt, expected) => {
  expect(lateWords({ at: '2026-11-21T12:00:00.000Z', arrivedAt })).toBe(expected);
});
