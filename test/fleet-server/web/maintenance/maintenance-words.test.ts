import { expect, test } from 'vitest';
import { covering, inOrder, scheduleWords, scopeWords } from '#fleet-server/web/maintenance/maintenance-words.ts';
import type { MaintenanceScope, MaintenanceWindow } from '#protocol/model/maintenance.ts';

const nowMs = Date.UTC(2026, 10, 21, 12);
const weekly = { kind: 'weekly', days: ['mon', 'fri'], from: '22:00', to: '04:00', timeZone: 'Europe/Berlin' } as const;
const over = { kind: 'once', from: '2026-11-20T12:00:00Z', to: '2026-11-20T13:00:00Z' } as const;

function aWindow(id: string, scope: MaintenanceScope, change: Partial<MaintenanceWindow> = {}): MaintenanceWindow {
  return {
    id,
    scope,
    schedule: { ...weekly, days: [...weekly.days] },
    reason: 'r',
    createdAt: over.from,
    createdBy: 'ada',
    openUntil: null,
    ...change,
  };
}

test('a schedule in words', () => {
  expect(scheduleWords({ ...weekly, days: ['mon', 'fri'] })).toBe('Every Mon, Fri, 22:00 to 04:00 on the next day (Europe/Berlin)');
  const daily = { ...weekly, days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], to: '23:00' } as const;
  expect(scheduleWords({ ...daily, days: [...daily.days] })).toBe('Every day, 22:00 to 23:00 (Europe/Berlin)');
});

test('whom it is for, by name where that is known', () => {
  expect(scopeWords({ kind: 'device', id: 'd-1' }, () => 'Stage')).toBe('Stage');
  expect(scopeWords({ kind: 'device', id: 'd-1' }, () => null)).toBe('d-1');
  expect(scopeWords({ kind: 'group', name: 'hall' }, () => null)).toBe('Group hall');
});

const all = [
  aWindow('over', { kind: 'fleet' }, { schedule: over }),
  aWindow('fleet', { kind: 'fleet' }),
  aWindow('hall', { kind: 'group', name: 'hall' }),
  aWindow('stage', { kind: 'device', id: 'd-1' }, { openUntil: '2026-11-21T13:00:00Z' }),
];

test('open ones come first, those that are over last', () => {
  expect(inOrder(all, nowMs).map(({ id }) => id)).toEqual(['stage', 'fleet', 'hall', 'over']);
});

test.each([
  ['a device', { deviceId: 'd-1', group: 'hall' }, ['stage', 'fleet', 'hall']],
  ['another device of the group', { deviceId: 'd-2', group: 'hall' }, ['fleet', 'hall']],
  ['a device of no group', { deviceId: 'd-2', group: null }, ['fleet']],
  ['a group', { deviceId: null, group: 'hall' }, ['fleet', 'hall']],
] as const)('%s is covered by its own, its group’s and the fleet’s, but for what is over', (_what, whom, expected) => {
  expect(covering(all, whom, nowMs).map(({ id }) => id)).toEqual(expected);
});
