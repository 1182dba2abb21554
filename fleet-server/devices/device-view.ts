/** A device as the API shows it: the row of the store and the live picture in one. Pure. */
import { timestamp } from '#fleet-server/clock.ts';
import type { SummaryRow } from '#fleet-server/devices/devices-store.ts';
import { readReport } from '#fleet-server/devices/kept-report.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { describeLosses } from '#fleet-server/devices/losses.ts';
import { readTags } from '#fleet-server/devices/tags.ts';
import type { KnownBoard } from '#fleet-server/enrolment/boards.ts';
import { parseRefusals, settingsState } from '#fleet-server/settings/settings-state.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import { type Condition, type ConditionCode, isServerCondition } from '#protocol/conditions.ts';
import type { DeviceDetail, DeviceSummary } from '#protocol/model/device.ts';
import type { DeviceMaintenance } from '#protocol/model/maintenance.ts';

export function deviceSummary(row: SummaryRow, live: LiveDevice, maintenance: DeviceMaintenance | null): DeviceSummary {
  // What an absent device last said of its work says nothing of now: figures are shown only while it is there.
  const isOnline = live.presence.state === 'online';
  const { desiredRevision, appliedRevision, outcomeRevision, outcome, driftedSinceMs, driftedKeys } = row;
  const refusals = parseRefusals(row.refusals);
  return {
    id: row.id,
    name: row.name,
    group: row.groupName,
    tags: readTags(row.tags),
    waitingSince: row.waitingSinceMs === null ? null : timestamp(row.waitingSinceMs),
    blockedSince: row.blockedSinceMs === null ? null : timestamp(row.blockedSinceMs),
    maintenance,
    presence: live.presence,
    stream: live.stream,
    settings: settingsState({ desiredRevision, appliedRevision, outcomeRevision, outcome, refusals, driftedSinceMs, driftedKeys }),
    conditions: conditionsOf(live),
    source: live.report?.source ?? null,
    figures: isOnline ? live.figures : null,
    relay: live.reception,
    board: isOnline ? live.board : null,
    boardName: live.report?.boardName ?? null,
    previewAt: live.previewAtMs === null ? null : timestamp(live.previewAtMs),
    lastHeardAt: live.heardAtMs === null ? null : timestamp(live.heardAtMs),
  };
}

/** What stands elsewhere than in the device's own row. */
export type Beside = { readonly boards: readonly KnownBoard[]; readonly maintenance: DeviceMaintenance | null };

export function deviceDetail(row: DevicesTable, live: LiveDevice, { boards, maintenance }: Beside): DeviceDetail {
  const isOnline = live.presence.state === 'online';
  const report = readReport(live.report);
  return {
    ...deviceSummary(row, live, maintenance),
    joinedAt: timestamp(row.joinedAtMs),
    boards: boards.map(({ boardId, hostName, firstSeenMs, lastSeenMs }) => ({
      id: boardId,
      hostName,
      firstSeenAt: timestamp(firstSeenMs),
      lastSeenAt: timestamp(lastSeenMs),
      isOnRecord: boardId === row.boardId,
    })),
    versions: live.versions,
    inventory: report?.inventory ?? null,
    media: isOnline ? live.media : null,
    outputs: isOnline ? [...live.outputs] : [],
    adaptation: isOnline ? live.adaptation : null,
    recordings: isOnline ? live.recordings : null,
    snapshotAt: live.snapshotAtMs === null ? null : timestamp(live.snapshotAtMs),
    capabilities: [...(report?.capabilities ?? [])],
  };
}

/** What a device may say of these is not believed: the relays are asked. */
const proved: readonly string[] = ['stream-not-arriving', 'relay-down'] satisfies ConditionCode[];

/** What an absent device last said of itself says nothing of now. */
export function conditionsOf(live: LiveDevice): Condition[] {
  return live.presence.state === 'online' ? shownConditions(live) : knownConditions(live);
}

/** Its own, and what the server and its relay know better. */
export function shownConditions(live: LiveDevice): Condition[] {
  const said = live.conditions.filter(({ code }) => !proved.includes(code) && !isServerCondition(code));
  const own = [...said, ...knownConditions(live), ...relayConditions(live)];
  if (live.stream.kind !== 'not-arriving') return own;
  return [...own, { code: 'stream-not-arriving', since: live.stream.since, detail: live.stream.detail }];
}

/** Nothing of it is shown as a condition: as `shownConditions` would say, without making anything, for nearly every device each second. */
export function hasNoConditions(live: LiveDevice): boolean {
  const { conditions, relayProblem, stream } = live;
  if (conditions.length > 0 || !isNothingKnown(live)) return false;
  return relayProblem === null && stream.kind !== 'not-arriving';
}

function relayConditions({ relayProblem, presence }: LiveDevice): Condition[] {
  if (relayProblem === null || presence.state !== 'online') return [];
  return [{ code: 'relay-down', since: timestamp(relayProblem.sinceMs), detail: relayProblem.detail }];
}

/** What the server knows by itself: also of a device that is away. */
export function knownConditions(live: LiveDevice): Condition[] {
  // Of nearly every device, each second.
  if (isNothingKnown(live)) return [];
  const { waitingSinceMs, blockedSinceMs, twice, losses } = live;
  return [
    ...(blockedSinceMs === null ? [] : [{ code: 'blocked', since: timestamp(blockedSinceMs) }]),
    ...(waitingSinceMs === null ? [] : [{ code: 'waits-for-approval', since: timestamp(waitingSinceMs) }]),
    ...(twice === null ? [] : [{ code: 'joined-twice', since: timestamp(twice.sinceMs), detail: twice.detail }]),
    ...(losses.unstableSinceMs === null
      ? []
      : [{ code: 'connection-unstable', since: timestamp(losses.unstableSinceMs), detail: describeLosses(losses) }]),
  ];
}

function isNothingKnown({ waitingSinceMs, blockedSinceMs, twice, losses }: LiveDevice): boolean {
  return waitingSinceMs === null && blockedSinceMs === null && twice === null && losses.unstableSinceMs === null;
}
