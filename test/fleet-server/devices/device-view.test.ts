import { expect, test } from 'vitest';
import { hasNoConditions, shownConditions } from '#fleet-server/devices/device-view.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { quietDevice } from './quiet-device.ts';

const since = '2026-11-21T12:00:00.000Z';

test('of a device that is well nothing is shown, and that is known without looking', () => {
  expect(hasNoConditions(quietDevice)).toBe(true);
  expect(shownConditions(quietDevice)).toEqual([]);
});

test.each<readonly [code: string, trouble: Partial<LiveDevice>]>([
  ['output-down', { conditions: [{ code: 'output-down', since }] }],
  ['waits-for-approval', { waitingSinceMs: 1 }],
  ['blocked', { blockedSinceMs: 1 }],
  ['joined-twice', { twice: { sinceMs: 1, seenMs: 2, detail: 'two boards' } }],
  ['connection-unstable', { losses: { atMs: [1, 2, 3, 4, 5], unstableSinceMs: 5 } }],
  ['relay-down', { relayProblem: { serverId: 'one', server: null, kind: 'down', detail: 'nginx is gone', sinceMs: 1 } }],
  ['stream-not-arriving', { stream: { kind: 'not-arriving', since, detail: 'nothing for 10 s' } }],
])('a device with %s has a condition, and it is shown', (code, trouble) => {
  const device = { ...quietDevice, ...trouble };
  expect(hasNoConditions(device)).toBe(false);
  expect(shownConditions(device).map((condition) => condition.code)).toEqual([code]);
});
