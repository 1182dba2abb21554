/**
 * Live changes, as server-sent events at /api/v1/changes: each says what to read again, and carries no data of its own, so
 * that rights are checked in one place and a missed event costs one extra read. The `id` of the event grows by one a change. A subject of a
 * device without its id: several devices, any of them.
 */
import { type Static, Type } from 'typebox';

export const Change = Type.Object({
  subject: Type.Enum([
    'device',
    'device-settings',
    'device-history',
    'device-preview',
    'groups',
    'commands',
    'fleet-settings',
    'join-tokens',
    'relay',
    'alerts',
    'rollouts',
    'people',
    'maintenance',
    'watchdog-policy',
  ]),
  deviceId: Type.Optional(Type.String()),
});
export type Change = Static<typeof Change>;
