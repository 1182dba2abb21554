/** Which answers a change makes old. Pure. */
import type { Change } from '#protocol/model/change.ts';

export type QueryPrefix = readonly string[];

/** Prefixes of query keys. Without a device id in the change, it may be about any device. */
export function affectedQueries({ subject, deviceId }: Change): readonly QueryPrefix[] {
  const of = (name: string): QueryPrefix => (deviceId === undefined ? [name] : [name, deviceId]);
  switch (subject) {
    case 'device':
      return [['devices'], of('device')];
    case 'device-settings':
      return [of('device-settings'), ['devices'], of('device')];
    case 'device-history':
      return [of('device-history')];
    case 'device-preview':
      // Only the picture is new, and is fetched by its own address; of which devices is read where it is not said.
      return deviceId === undefined ? [['devices'], ['device']] : [];
    case 'groups':
      return [['device-groups']];
    case 'commands':
      return [of('commands')];
    case 'fleet-settings':
      return [['level-settings'], ['device-settings'], ['devices'], ['device']];
    case 'join-tokens':
      return [['join-tokens']];
    case 'rollouts':
      return [['rollouts'], ['rollout']];
    case 'alerts':
      return [['alerts'], ['alert-rules'], ['alert-channels']];
    case 'people':
      // Whose role changed is signed out: their own page must notice.
      return [['people'], ['access-tokens'], ['session']];
    case 'maintenance':
      return [['maintenance-windows'], ['devices'], ['device']];
    case 'watchdog-policy':
      return [['watchdog-policy']];
    case 'relay':
      return [['devices'], of('device')];
    default:
      return subject satisfies never;
  }
}
