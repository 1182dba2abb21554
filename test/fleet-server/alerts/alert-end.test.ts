import { expect, test } from 'vitest';
import { endOf, unwatchedBecause } from '#fleet-server/alerts/alert-end.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

const rule: AlertRule = {
  ...{ id: 'r', name: 'away', trigger: { kind: 'offline' }, forS: 10, severity: 'critical', group: null, enabled: true },
  ...{ channelIds: [], quietHours: null, escalation: null },
};
const hall = { groupName: 'hall', blockedSinceMs: null };
const blocked = { ...hall, blockedSinceMs: 1 };
const relay: AlertRule = { ...rule, trigger: { kind: 'relay-down' } };

test.each<[string, AlertRule | undefined, Parameters<typeof endOf>[2], ReturnType<typeof endOf>]>([
  ['a device that is back', rule, [hall], 'recovered'],
  ['the relay', relay, null, 'recovered'],
  ['a rule that is gone', undefined, [hall], 'rule-removed'],
  ['one that is off', { ...rule, enabled: false }, [hall], 'rule-off'],
  ['one of another group', { ...rule, group: 'stage' }, [hall], 'not-watched'],
  [
    'one for something else',
    { ...rule, trigger: { kind: 'condition', conditions: ['disk-full'], severity: 'info' } },
    [hall],
    'not-watched',
  ],
  ['a device that was removed', rule, [], 'device-removed'],
  ['a device that was blocked', rule, [blocked], 'device-blocked'],
  ['several, of which one is free', rule, [blocked, hall], 'recovered'],
])('the end of an alert: %s', (_name, now, devices, expected) => {
  const key = now?.trigger.kind === 'relay-down' ? 'r/relay' : 'r/d-one/offline';
  expect(endOf(key, now, devices)).toBe(expected);
});

test('only what is over without having recovered is watched no more', () => {
  expect(unwatchedBecause({ event: 'resolved', reason: 'recovered' })).toBeNull();
  expect(unwatchedBecause({ event: 'resolved' })).toBeNull();
  expect(unwatchedBecause({ event: 'opened' })).toBeNull();
  expect(unwatchedBecause({ event: 'resolved', reason: 'rule-off' })).toBe('its rule was switched off');
});
