import { expect, test } from 'vitest';
import {
  draftOf,
  type MaintenanceDraft,
  newDraft,
  problemsOf,
  requestOf,
  wallClock,
} from '#fleet-server/web/maintenance/maintenance-draft.ts';
import type { MaintenanceRequest } from '#protocol/model/maintenance.ts';

const nowMs = Date.UTC(2026, 10, 21, 12);
const draft = (change: Partial<MaintenanceDraft> = {}): MaintenanceDraft => ({
  ...newDraft(nowMs, 'Europe/Berlin', {}),
  reason: 'rebuilt',
  ...change,
});
const onWall = (minutes: number): string => wallClock(nowMs + minutes * 60_000);

test('a new one begins now and lasts for two hours', () => {
  expect(requestOf(draft()).schedule).toEqual({ kind: 'once', from: '2026-11-21T12:00:00.000Z', to: '2026-11-21T14:00:00.000Z' });
  expect(problemsOf(draft(), nowMs)).toEqual({});
});

test.each<MaintenanceRequest>([
  { scope: { kind: 'fleet' }, reason: 'r', schedule: { kind: 'once', from: '2026-11-21T12:00:00.000Z', to: '2026-11-22T12:00:00.000Z' } },
  {
    scope: { kind: 'group', name: 'hall' },
    reason: 'r',
    schedule: { kind: 'weekly', days: ['mon', 'sun'], from: '22:00', to: '04:00', timeZone: 'Asia/Tokyo' },
  },
  {
    scope: { kind: 'device', id: 'd-1' },
    reason: 'r',
    schedule: { kind: 'weekly', days: ['sat'], from: '01:00', to: '02:00', timeZone: 'UTC' },
  },
])('a window of $scope.kind is edited as what it is', (request) => {
  const window = { ...request, id: 'w', createdAt: '2026-11-21T12:00:00.000Z', createdBy: 'ada', openUntil: null };
  expect(requestOf(draftOf(window, nowMs, 'Europe/Berlin'))).toEqual(request);
});

test('days stand in the order of the week', () => {
  expect(requestOf(draft({ kind: 'weekly', days: ['sun', 'mon'] })).schedule).toMatchObject({ days: ['mon', 'sun'] });
});

test.each<[string, Partial<MaintenanceDraft>, string]>([
  ['no group', { scope: 'group' }, 'group'],
  ['no device', { scope: 'device' }, 'deviceId'],
  ['no reason', { reason: '  ' }, 'reason'],
  ['an end before the beginning', { onceTo: onWall(-1) }, 'onceTo'],
  ['no end', { onceTo: '' }, 'onceTo'],
  ['an end that is over', { onceFrom: onWall(-60), onceTo: onWall(-1) }, 'onceTo'],
  ['more than 31 days', { onceTo: onWall(32 * 24 * 60) }, 'onceTo'],
  ['no day of the week', { kind: 'weekly' }, 'days'],
  ['no time of day', { kind: 'weekly', days: ['mon'], from: '' }, 'from'],
  ['a time zone that there is not', { kind: 'weekly', days: ['mon'], timeZone: 'Mars/Olympus' }, 'timeZone'],
])('%s is said at its field', (_what, change, field) => {
  expect(Object.keys(problemsOf(draft(change), nowMs))).toEqual([field]);
});
