import { expect, test } from 'vitest';
import { isAboutItself, isTime, makesNew, shownChanges, verbOf } from '#fleet-server/web/audit/audit-words.ts';
import type { AuditEntry } from '#protocol/model/audit.ts';

const names = new Map([['c-1', 'On call']]);

test('what was done, in words; what a newer server does has its own name', () => {
  expect(verbOf('settings-changed')).toBe('changed settings of');
  expect(verbOf('moon-moved')).toBe('Moon moved:');
  expect(verbOf('toString')).toBe('ToString:');
});

test('who signs in does it to nobody else', () => {
  const entry: AuditEntry = {
    id: 1,
    at: '2026-01-05T12:00:00.000Z',
    actor: 'ada',
    action: 'signed-in',
    subject: 'ada',
    subjectName: null,
    changes: [],
  };
  expect(isAboutItself(entry)).toBe(true);
  expect(isAboutItself({ ...entry, action: 'password-changed' })).toBe(false);
  expect(isAboutItself({ ...entry, actor: 'nobody', action: 'sign-in-refused' })).toBe(false);
});

test('a setting has its title, a secret stays one', () => {
  const changes = [
    { field: 'AV_VIDEO_BITRATE', before: null, after: '1800' },
    { field: 'AV_STREAM_KEY', before: '(secret)', after: '(secret)' },
  ];
  expect(shownChanges(changes, names)).toEqual([
    { field: 'Video bitrate', before: null, after: '1800' },
    { field: 'Stream key', before: '(secret)', after: '(secret)' },
  ]);
});

test('of a document only the fields that differ are shown, with names for ids', () => {
  const before = { id: 'r', name: 'Away', forS: 60, trigger: { kind: 'offline' }, channelIds: [], quietHours: null, escalation: null };
  const after = { ...before, forS: 0, channelIds: ['c-1', 'c-2'], quietHours: { from: '22:00', to: '06:00', timeZone: 'UTC' } };
  expect(shownChanges([{ field: 'rule', before: JSON.stringify(before), after: JSON.stringify(after) }], names)).toEqual([
    { field: 'for at least (s)', before: '60', after: '0' },
    { field: 'told to', before: null, after: 'On call, c-2' },
    { field: 'quiet hours, from', before: null, after: '22:00' },
    { field: 'quiet hours, to', before: null, after: '06:00' },
    { field: 'quiet hours, time zone', before: null, after: 'UTC' },
  ]);
});

test('a new document is shown whole', () => {
  const target = { kind: 'webhook', url: 'https://example.org', secret: '(secret)' };
  expect(shownChanges([{ field: 'target', before: null, after: JSON.stringify(target) }], names)).toEqual([
    { field: 'kind', before: null, after: 'webhook' },
    { field: 'url', before: null, after: 'https://example.org' },
    { field: 'secret', before: null, after: '(secret)' },
  ]);
});

test('a document that was cut is shown as it is', () => {
  const change = { field: 'rule', before: '{"id":"r","name":"Aw', after: '{"id":"r"}' };
  expect(shownChanges([change], names)).toEqual([change]);
});

test('times are known as such', () => {
  expect(isTime('2026-01-05T12:00:00.000Z')).toBe(true);
  expect(isTime('12:00')).toBe(false);
});

test('of what was never set nothing is said', () => {
  expect(shownChanges([{ field: 'group', before: null, after: null }], names)).toEqual([]);
});

test('what was made anew had nothing before', () => {
  expect(['person-added', 'token-made', 'device-joined', 'command-requested'].every(makesNew)).toBe(true);
  expect(['settings-changed', 'device-removed', 'person-changed'].some(makesNew)).toBe(false);
});
