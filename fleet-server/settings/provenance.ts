/**
 * For every key of a device: what is wanted and from which level, what is in force and from which level, and where it stands. Pure.
 *
 * INVARIANT: the value of a secret is in no answer.
 */

import { timestamp } from '#fleet-server/clock.ts';
import type { LastingReport } from '#fleet-server/devices/kept-report.ts';
import { type RevisionFacts, settingsState } from '#fleet-server/settings/settings-state.ts';
import type { StoredSetting } from '#fleet-server/settings/settings-store.ts';
import type { ReportedSetting } from '#protocol/messages.ts';
import type { DeviceSetting, DeviceSettings, ShownValue } from '#protocol/model/settings.ts';
import {
  isSettingKey,
  type SettingDefinition,
  type SettingKey,
  type SettingLevel,
  settingDefinitions,
  settingKeys,
  settingLevels,
} from '#protocol/settings.ts';
import { shownSetting } from '#protocol/stream-address.ts';

export type ProvenanceFacts = {
  readonly fleet: readonly StoredSetting[];
  readonly group: readonly StoredSetting[];
  readonly device: readonly StoredSetting[];
  readonly report: LastingReport | null;
  readonly revision: RevisionFacts & { readonly appliedAtMs: number | null };
};

const serverLevels = ['fleet', 'group', 'device'] as const;
type ServerSettings = { readonly [L in (typeof serverLevels)[number]]: StoredSetting | undefined };

export function deviceSettings(facts: ProvenanceFacts): DeviceSettings {
  const state = settingsState(facts.revision);
  return {
    state: state.kind,
    desiredRevision: state.desiredRevision,
    appliedRevision: state.appliedRevision,
    reason: state.reason,
    driftedSince: state.driftedSince,
    settings: settingKeys.map((key) => oneSetting(key, facts, state.kind)),
  };
}

export function shownValue(setting: Pick<StoredSetting, 'key' | 'value' | 'setAtMs'>): ShownValue {
  if (isSettingKey(setting.key) && !settingDefinitions[setting.key].secret)
    return { kind: 'plain', value: shownSetting(setting.key, setting.value) };
  return { kind: 'secret', setAt: timestamp(setting.setAtMs) };
}

function oneSetting(key: SettingKey, facts: ProvenanceFacts, overall: DeviceSettings['state']): DeviceSetting {
  const byLevel: ServerSettings = {
    fleet: facts.fleet.find((setting) => setting.key === key),
    group: facts.group.find((setting) => setting.key === key),
    device: facts.device.find((setting) => setting.key === key),
  };
  const reported = facts.report?.settings[key];
  const { set, value: desired, level: desiredLevel } = desiredSetting(key, facts, facts.report);
  // `applied` is the proof; the report that shows the same follows it by a moment.
  const isReportBehind = overall === 'applied' && facts.report !== null && facts.report.appliedRevision < facts.revision.appliedRevision;
  const isKnownEarlier = isReportBehind && set !== undefined;
  const inForce = isKnownEarlier ? desired : reported === undefined ? null : shownReport(key, reported, byLevel);
  const inForceLevel = isKnownEarlier ? desiredLevel : (reported?.level ?? null);
  const refusal = facts.revision.refusals.find((entry) => entry.key === key);
  const isRefusalCurrent = refusal !== undefined && facts.revision.outcomeRevision === facts.revision.desiredRevision;

  const differs = isPending(set, reported, desired, inForce, desiredLevel, facts.revision.appliedAtMs);
  let state: DeviceSetting['state'] = 'applied';
  let reason: string | null = null;
  if (isRefusalCurrent) {
    state = 'refused';
    reason = refusal.reason;
  } else if (
    ((overall === 'pending' || overall === 'drifted') && differs) ||
    (isReportBehind && set === undefined && isServerLevel(reported?.level))
  ) {
    state = 'pending';
  } else if (overall === 'refused' && differs) {
    state = 'refused';
    reason = 'It came with a setting that the device refused; nothing of that change is in force.';
  }
  const levels: DeviceSetting['levels'] = {};
  for (const level of serverLevels) {
    const at = byLevel[level];
    if (at !== undefined) levels[level] = shownValue(at);
  }
  return { key, desired, desiredLevel, inForce, inForceLevel, state, reason, levels };
}

export type DesiredSetting = {
  /** The strongest of what the server's levels set. */
  readonly set: StoredSetting | undefined;
  readonly value: ShownValue | null;
  readonly level: SettingLevel;
};

export function desiredSetting(
  key: SettingKey,
  levels: Pick<ProvenanceFacts, 'fleet' | 'group' | 'device'>,
  report: LastingReport | null,
): DesiredSetting {
  for (const level of serverLevels.toReversed()) {
    const set = levels[level].find((setting) => setting.key === key);
    if (set !== undefined) return { set, value: shownValue(set), level };
  }
  return { set: undefined, ...belowServer(key, report?.settings[key]) };
}

function isServerLevel(level: SettingLevel | undefined): boolean {
  return serverLevels.some((known) => known === level);
}

/** What is wanted where no server level says anything: what the device said of its own levels, else the default. */
function belowServer(key: SettingKey, reported: ReportedSetting | undefined): { value: ShownValue | null; level: SettingLevel } {
  // The fleet gives each device its relay's address and key, which are stronger than a default; the host in it is the device's to know.
  const isRelays = key === 'AV_STREAM_URL' || key === 'AV_STREAM_KEY';
  if (isRelays && (reported === undefined || reported.level === 'default')) return { value: null, level: 'relay' };
  if (reported !== undefined && settingLevels.indexOf(reported.level) < settingLevels.indexOf('fleet')) {
    return { value: shownReport(key, reported, undefined), level: reported.level };
  }
  const definition: SettingDefinition = settingDefinitions[key];
  const isShown = definition.default !== null && !definition.secret;
  return { value: isShown ? { kind: 'plain', value: definition.default } : null, level: 'default' };
}

function shownReport(key: SettingKey, reported: ReportedSetting, byLevel: ServerSettings | undefined): ShownValue | null {
  if (settingDefinitions[key].secret || reported.isSecret === true) {
    // Of a secret the device says only whether there is one.
    if (reported.value === null || reported.value === false || reported.value === '') return null;
    const { level } = reported;
    const set = level === 'fleet' || level === 'group' || level === 'device' ? byLevel?.[level] : undefined;
    return { kind: 'secret', setAt: set === undefined ? null : timestamp(set.setAtMs) };
  }
  return reported.value === null ? null : { kind: 'plain', value: shownSetting(key, reported.value) };
}

function isPending(
  set: StoredSetting | undefined,
  reported: ReportedSetting | undefined,
  desired: ShownValue | null,
  inForce: ShownValue | null,
  desiredLevel: SettingLevel,
  appliedAtMs: number | null,
): boolean {
  if (reported === undefined) return set !== undefined;
  if (reported.level !== desiredLevel) return true;
  // A secret cannot be compared: it is on its way if it was set after the last revision that the device confirmed.
  if (set !== undefined && desired?.kind === 'secret') return appliedAtMs === null || set.setAtMs > appliedAtMs;
  return desired?.kind === 'plain' && inForce?.kind === 'plain' && desired.value !== inForce.value;
}
