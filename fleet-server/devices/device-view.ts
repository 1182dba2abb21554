/** A device as the API shows it: the row of the store and the live picture in one. Pure. */
import { timestamp } from '#fleet-server/clock.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { readTags } from '#fleet-server/devices/tags.ts';
import { parseRefusals, settingsState } from '#fleet-server/settings/settings-state.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import type { Condition } from '#protocol/conditions.ts';
import type { DeviceDetail, DeviceSummary } from '#protocol/model/device.ts';

export function deviceSummary(row: DevicesTable, live: LiveDevice): DeviceSummary {
  // What an absent device last said of its work says nothing of now: figures are shown only while it is there.
  const isOnline = live.presence.state === 'online';
  return {
    id: row.id,
    name: row.name,
    group: row.groupName,
    tags: readTags(row.tags),
    presence: live.presence,
    stream: live.stream,
    settings: settingsState({ ...row, refusals: parseRefusals(row.refusals) }),
    conditions: isOnline ? shownConditions(live) : [],
    source: live.report?.source ?? null,
    figures: isOnline ? live.figures : null,
    relay: live.reception,
    board: isOnline ? live.board : null,
    boardName: live.report?.inventory.board.name ?? null,
    previewAt: live.previewAtMs === null ? null : timestamp(live.previewAtMs),
    lastHeardAt: live.heardAtMs === null ? null : timestamp(live.heardAtMs),
  };
}

export function deviceDetail(row: DevicesTable, live: LiveDevice): DeviceDetail {
  const isOnline = live.presence.state === 'online';
  return {
    ...deviceSummary(row, live),
    joinedAt: timestamp(row.joinedAtMs),
    versions: live.versions,
    inventory: live.report?.inventory ?? null,
    media: isOnline ? live.media : null,
    outputs: isOnline ? [...live.outputs] : [],
    recordings: isOnline ? live.recordings : null,
    capabilities: [...(live.report?.capabilities ?? [])],
  };
}

/** Its own, and what the relay knows better. */
export function shownConditions(live: LiveDevice): Condition[] {
  const own = live.conditions.filter((condition) => condition.code !== 'stream-not-arriving');
  if (live.stream.kind !== 'not-arriving') return own;
  return [...own, { code: 'stream-not-arriving', since: live.stream.since, detail: live.stream.detail }];
}
