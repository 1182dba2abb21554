/**
 * From a settings document, the environment and the machine to what shall run. Pure.
 *
 * INVARIANTS
 * - A new revision is judged as a whole: one value that cannot run here refuses all of it.
 * - What is already in force is fitted instead: a value that can no longer run here is left out for the time being and said so,
 *   because a device is never off the air for a setting.
 * - A chosen camera that is not there is not left out: the card is on air in its place, never another camera.
 */

import type { DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { describeUnusableCameras } from '#device/detect/unusable-cameras.ts';
import { type AudioChoice, chooseAudio } from '#device/plan/audio-source.ts';
import { choosePicture } from '#device/plan/choose-picture.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { planPipeline, planRecording } from '#device/plan/plan.ts';
import { type ResolvedProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { cameraNameIn, chooseVideo } from '#device/profile/video-source.ts';
import { isOver, type Switched } from '#device/schedule/outlet-switch.ts';
import { decideOutlets, type Moment, type ScheduleDecision, streamBasis, unscheduled, withinOutlets } from '#device/schedule/outlets.ts';
import { acceptSettings, findWireProblems } from '#device/settings/accept.ts';
import { type ResolvedSettings, resolveSettings, type SettingsByLevel } from '#device/settings/levels.ts';
import { mainOutputId } from '#protocol/media.ts';
import type { Desired, RelayTarget, SettingRefusal, UnjudgedDesired } from '#protocol/messages.ts';
import {
  isSettingKey,
  isSettingValue,
  isWireKey,
  parseSetting,
  type SettingKey,
  type SettingLevel,
  type SettingValue,
  type SettingValues,
  settingKeys,
  settingLevels,
  type UnjudgedSettings,
  type WireSettings,
} from '#protocol/settings.ts';
import { streamTargets } from '#protocol/stream-targets.ts';

export type Machine = {
  readonly hardware: DetectedHardware;
  readonly profile: ResolvedProfile;
  readonly environment: SettingValues;
  /** Settings of the environment whose value is none. */
  readonly refusedInEnvironment?: readonly SettingRefusal[];
  /** Null: the agent belongs to no fleet. */
  readonly fleetUrl: string | null;
  /** Whether somebody switched the recording on or off by hand; otherwise the settings decide. */
  readonly isRecordingWanted?: boolean | null;
  /** How somebody switched the stream by hand; it counts for settings that decide as those did against which it was switched. */
  readonly streamSwitch?: Switched | null;
  /** Where recordings go instead of that directory, because its disk is away; null: they go there. */
  readonly recordingsInsteadOf?: (directory: string) => string | null;
};

export type Prepared = {
  readonly settings: ResolvedSettings;
  readonly plan: PipelinePlan;
  /** What somebody has set and cannot run here at present. */
  readonly leftOut: readonly SettingRefusal[];
  /** Somebody asked for a picture that cannot be had here: what is given instead, and why. */
  readonly shortfall: string | null;
  /** Sound is wanted and cannot be had, and why; null: it can, as far as is known before it is tried. */
  readonly noSound: string | null;
  /** Which microphone is planned for, be it there or not; null: none. */
  readonly microphone: MicrophoneFact | null;
  /** Of cameras that are there and cannot be used, why; empty where none is known of. */
  readonly unusableCameras: string;
  /** Where recordings go because the disk of AV_RECORD_DIR is away; null: they go where the settings say. */
  readonly recordingsMeanwhile: string | null;
  /** The fleet has yet to let this device in: no relay, no key, and no settings of the fleet. */
  readonly isWaitingForApproval: boolean;
  /** What the schedules let out at the moment for which this was planned. */
  readonly schedule: ScheduleDecision;
  /** A hand at the switch of the stream, stronger than the schedule; null: none. */
  readonly isStreamSwitchedOn: boolean | null;
};

export type Judgement =
  | { readonly kind: 'accepted'; readonly document: Desired; readonly prepared: Prepared }
  | { readonly kind: 'refused'; readonly refusals: readonly SettingRefusal[] };

export const maxRefusals = 64;

/** Levels at which somebody chose a value, so that leaving it out is an answer. */
const chosenLevels: readonly SettingLevel[] = ['environment', 'fleet', 'group', 'device'];
const remoteLevels: readonly SettingLevel[] = ['fleet', 'group', 'device'];

/** Whether a new document may be tried, where `inForce` is the one that it would replace. */
export function judgeSettings(
  unjudged: UnjudgedDesired,
  inForce: Desired | null,
  machine: Machine,
  moment: Moment | null = null,
): Judgement {
  const { fleet, group, device } = unjudged.levels;
  const wireProblems = [fleet, group, device].flatMap((wire) => findWireProblems(wire));
  if (wireProblems.length > 0) return { kind: 'refused', refusals: wireProblems.slice(0, maxRefusals) };
  const document = { ...unjudged, levels: { fleet: onlyValues(fleet), group: onlyValues(group), device: onlyValues(device) } };
  const before = resolveOn(levelsOf(inForce, machine), machine);
  const resolved = resolveOn(levelsOf(document, machine), machine);
  // A value that was in force before and cannot run now is no fault of this revision.
  const isNew = ({ key }: SettingRefusal): boolean =>
    !isSettingKey(key) || (remoteLevels.includes(resolved[key].level) && resolved[key].value !== before[key].value);
  const refusals = acceptSettings(resolved, machine.hardware, machine.profile).filter(isNew);
  if (refusals.length > 0) return { kind: 'refused', refusals: refusals.slice(0, maxRefusals) };
  return { kind: 'accepted', document, prepared: fitSettings(document, machine, moment) };
}

/**
 * What runs here of a document that has been accepted before, or of the environment alone. Total. Without a moment the plan is
 * the one within all schedules.
 */
export function fitSettings(document: Desired | null, machine: Machine, moment: Moment | null = null): Prepared {
  let levels = levelsOf(document, machine);
  const leftOut = new Map<string, SettingRefusal>();
  let absentCamera: string | null = null;
  // Each round but the last takes at least one value away; the bound is every key at every level.
  for (let round = 0; round <= settingKeys.length * chosenLevels.length; round += 1) {
    const resolved = resolveOn(levels, machine);
    const unfit = acceptSettings(resolved, machine.hardware, machine.profile).filter(
      ({ key }) => isSettingKey(key) && chosenLevels.includes(resolved[key].level),
    );
    absentCamera = unfit.some(({ key }) => key === 'AV_VIDEO_SOURCE') ? cameraNameIn(resolved.AV_VIDEO_SOURCE) : null;
    let hasChanged = false;
    for (const refusal of unfit) {
      if (!isSettingKey(refusal.key)) continue;
      if (!leftOut.has(refusal.key)) leftOut.set(refusal.key, refusal);
      if (refusal.key === 'AV_VIDEO_SOURCE' && absentCamera !== null) continue;
      const { level } = resolved[refusal.key];
      levels = withoutKeyOf(refusal.key, level, withoutValue(levels, level, refusal.key));
      hasChanged = true;
    }
    if (!hasChanged) break;
  }
  const settings = resolveOn(levels, machine);
  const plan = planPipeline(settings, machine.hardware, machine.profile, absentCamera);
  const refusals = [...withoutEffect(machine, settings), ...leftOut.values()];
  const audio = chooseAudio(settings, machine.hardware, machine.profile, chooseVideo(settings.AV_VIDEO_SOURCE, machine.hardware));
  const schedule = moment === null ? unscheduled : decideOutlets(settings, moment);
  const isStreamSwitchedOn = switchOfStream(settings, machine, moment);
  const recordingsMeanwhile = insteadOfRecordings(settings, machine);
  const allowed = { ...schedule.allowed, stream: isStreamSwitchedOn ?? schedule.allowed.stream };
  return {
    settings,
    plan: withRecordingsIn(
      withSwitchedRecording(withinOutlets(withoutUnchosenTarget(plan, settings, document, machine, refusals), allowed), settings, machine),
      recordingsMeanwhile,
    ),
    schedule,
    isStreamSwitchedOn,
    leftOut: refusals.slice(0, maxRefusals),
    shortfall: shortfallOf(settings, machine),
    noSound: whyNoSound(audio, machine),
    microphone: audio.kind === 'microphone' ? audio.microphone : null,
    unusableCameras: describeUnusableCameras(machine.hardware.problems),
    recordingsMeanwhile,
    isWaitingForApproval: document?.waitsForApproval === true,
  };
}

/** A wrong value of the environment over which another level has a right one is nobody's trouble. */
function withoutEffect({ refusedInEnvironment = [] }: Machine, settings: ResolvedSettings): readonly SettingRefusal[] {
  return refusedInEnvironment.filter(({ key }) => isSettingKey(key) && !remoteLevels.includes(settings[key].level));
}

/** Keys whose value in force would change. */
export function changedKeys(before: ResolvedSettings, after: ResolvedSettings): readonly SettingKey[] {
  return settingKeys.filter((key) => before[key].value !== after[key].value);
}

/** The address and key that the fleet server gave to this device, as settings. */
export function relayValues(relay: RelayTarget | null, fleetUrl: string | null): SettingValues {
  const host = relay?.host ?? (fleetUrl === null ? null : new URL(fleetUrl).hostname);
  if (relay === null || host === null) return {};
  const values = { AV_STREAM_URL: `rtmp://${host}:${relay.port}/${relay.application}`, AV_STREAM_KEY: relay.streamKey };
  return readValues(values);
}

function levelsOf(document: Desired | null, machine: Machine): SettingsByLevel {
  const { environment } = machine;
  const { fleet, group, device } = document?.levels ?? {};
  const levels: SettingsByLevel = {
    relay: relayValues(document?.relay ?? null, machine.fleetUrl),
    environment,
    fleet: readValues(fleet ?? {}),
    group: readValues(group ?? {}),
    device: readValues(device ?? {}),
  };
  const wrong = machine.refusedInEnvironment ?? [];
  return wrong.reduce((rest, { key }) => withoutKeyOf(key, 'environment', rest), levels);
}

/** A stream key that was given for an address which is left out opens no other: it goes, from that level up to the next address. */
function withoutKeyOf(address: string, level: SettingLevel, levels: SettingsByLevel): SettingsByLevel {
  const target = streamTargets.find((known) => known.address === address);
  if (target === undefined) return levels;
  const onwards = settingLevels.slice(settingLevels.indexOf(level));
  const next = onwards.findIndex(
    (stronger) => stronger !== level && stronger !== 'default' && levels[stronger]?.[target.address] !== undefined,
  );
  return onwards.slice(0, next === -1 ? undefined : next).reduce((rest, from) => withoutValue(rest, from, target.key), levels);
}

function resolveOn(levels: SettingsByLevel, machine: Machine): ResolvedSettings {
  return resolveSettings(withProfileLevels(levels, machine.hardware, machine.profile));
}

/** What is kept: whatever is no setting in any version has no place in the settings file. */
function onlyValues(wire: UnjudgedSettings): WireSettings {
  return Object.fromEntries(
    Object.entries(wire).flatMap(([key, value]) => (isWireKey(key) && isSettingValue(value) ? [[key, value]] : [])),
  );
}

/** Keys of another version and values that are wrong do not take part. */
function readValues(wire: WireSettings): SettingValues {
  const values: { [K in SettingKey]?: SettingValue } = {};
  for (const [key, raw] of Object.entries(wire)) {
    if (!isSettingKey(key)) continue;
    const parsed = parseSetting(key, raw);
    if (parsed.kind === 'value') values[key] = parsed.value;
  }
  return values;
}

/** A default that the camera does not reach is nobody's wish. */
function shortfallOf(settings: ResolvedSettings, { hardware, profile }: Machine): string | null {
  const wished = [settings.AV_VIDEO_WIDTH, settings.AV_VIDEO_HEIGHT, settings.AV_VIDEO_FRAMERATE];
  if (!wished.some(({ level }) => chosenLevels.includes(level))) return null;
  return choosePicture(chooseVideo(settings.AV_VIDEO_SOURCE, hardware), settings, hardware, profile).shortfall;
}

function whyNoSound(audio: AudioChoice, { hardware }: Machine): string | null {
  if (audio.kind === 'off') return null;
  if (hardware.elements.size > 0 && !hardware.elements.has('voaacenc')) {
    return 'GStreamer has no voaacenc, so the stream has no sound at all: install gstreamer1.0-plugins-bad';
  }
  return audio.kind === 'silence' || audio.kind === 'missing' ? audio.reason : null;
}

function withoutValue(levels: SettingsByLevel, level: SettingLevel, key: SettingKey): SettingsByLevel {
  if (level === 'default') return levels;
  const values = Object.fromEntries(Object.entries(levels[level] ?? {}).filter(([name]) => name !== key));
  return { ...levels, [level]: values };
}

/**
 * The address that a lone device would use by itself gets no picture from one that waits for its fleet's first word or for its approval, nor from one
 * whose own address is wrong.
 */
function withoutUnchosenTarget(
  plan: PipelinePlan,
  settings: ResolvedSettings,
  document: Desired | null,
  machine: Machine,
  leftOut: readonly SettingRefusal[],
): PipelinePlan {
  const hasNoRelay = document === null || document.waitsForApproval === true;
  const isWaiting = machine.fleetUrl !== null && hasNoRelay;
  const isWrong = leftOut.some(({ key }) => key === 'AV_STREAM_URL');
  return settings.AV_STREAM_URL.level === 'default' && (isWaiting || isWrong)
    ? { ...plan, outputs: plan.outputs.filter(({ id }) => id !== mainOutputId) }
    : plan;
}

function switchOfStream(settings: ResolvedSettings, { streamSwitch = null }: Machine, moment: Moment | null): boolean | null {
  if (streamSwitch?.basis !== streamBasis(settings)) return null;
  return moment !== null && isOver(streamSwitch, moment.nowMs) ? null : streamSwitch.isOn;
}

/** A hand at the switch is stronger than the settings and their hours. */
function withSwitchedRecording(plan: PipelinePlan, settings: ResolvedSettings, { isRecordingWanted = null }: Machine): PipelinePlan {
  if (isRecordingWanted === null) return plan;
  const others = plan.outputs.filter(({ kind }) => kind !== 'recording');
  return { ...plan, outputs: isRecordingWanted ? [...others, planRecording(settings)] : others };
}

function insteadOfRecordings({ AV_RECORD_DIR: { value } }: ResolvedSettings, { recordingsInsteadOf }: Machine): string | null {
  return typeof value === 'string' && value !== '' ? (recordingsInsteadOf?.(value) ?? null) : null;
}

function withRecordingsIn(plan: PipelinePlan, directory: string | null): PipelinePlan {
  if (directory === null) return plan;
  return { ...plan, outputs: plan.outputs.map((output) => (output.kind === 'recording' ? { ...output, directory } : output)) };
}
