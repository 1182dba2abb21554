/** A device as the API would answer it, made up; tests change what they are about. */
import type { DeviceSummary } from '#protocol/model/device.ts';

export const noon = '2026-01-05T12:00:00.000Z';

export function aDevice(change: Partial<DeviceSummary> & { readonly kind?: DeviceSummary['stream']['kind'] } = {}): DeviceSummary {
  const { kind = 'live', ...others } = change;
  return {
    id: 'd-one',
    name: 'One',
    group: null,
    tags: [],
    waitingSince: null,
    blockedSince: null,
    maintenance: null,
    presence: { state: 'online', since: noon, reason: 'connected' },
    stream: { kind, since: noon, detail: '' },
    settings: { kind: 'applied', driftedSince: null, desiredRevision: 1, appliedRevision: 1, reason: null },
    conditions: [],
    source: null,
    figures: null,
    relay: null,
    board: null,
    boardName: null,
    previewAt: null,
    lastHeardAt: noon,
    ...others,
  };
}
