/** From what the media host and the board say to conditions, health and report. Pure. */
import { observeBoard } from '#device/health/board-conditions.ts';
import type { BoardSample } from '#device/health/board-sampler.ts';
import { type CameraLosses, recentLosses, unstableFrom } from '#device/health/camera-losses.ts';
import type { ObservedCondition } from '#device/health/condition-tracker.ts';
import { contentConditions, type WatchedContent } from '#device/health/content-watch.ts';
import type { ClockOffset } from '#device/health/fleet-clock.ts';
import { reportedValue } from '#device/health/reported-value.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { noDecoderWords } from '#device/plan/keyframe-look.ts';
import { cameraEncodes } from '#device/plan/plan.ts';
import type { Time } from '#device/schedule/outlets.ts';
import { describePause } from '#device/schedule/outlets.ts';
import { describeRefusals } from '#device/settings/describe-refusals.ts';
import type { Prepared } from '#device/settings/prepare.ts';
import type { Condition, ConditionCode } from '#protocol/conditions.ts';
import { isStream, type MediaState, type OutputStatus } from '#protocol/media.ts';
import type { Health, RecordingsSummary, Report, SettingRefusal } from '#protocol/messages.ts';
import { settingDefinitions, settingKeys } from '#protocol/settings.ts';

/** Below this share of the frames asked for, somebody sees that it stutters. */
const lowFrameShare = 0.85;
/** Dropped pictures are told of for so long after the last one. */
const dropMemoryMs = 30_000;

export type HealthFacts = {
  /** Null: no media host is connected. */
  readonly status: MediaStatus | null;
  readonly prepared: Prepared;
  readonly complaints: readonly SettingRefusal[];
  readonly board: BoardSample;
  /** Against the fleet server's; null: not measured. */
  readonly clockOffset: ClockOffset | null;
  readonly drops: DropMemory;
  readonly losses: CameraLosses;
  /** By which hours go. */
  readonly time: Time;
  /** Of the recording: a disk that is too slow is another matter than a network. */
  readonly recordingDrops: DropMemory;
  /** Recordings go to the disk that the state directory is on. */
  readonly isRecordingWithState: boolean;
  /** What is wrong with the sound and the picture themselves. */
  readonly content: WatchedContent;
  readonly monotonicMs: number;
  /** Whether the pipeline was failed when it was last looked at: a new try does not mend it, frames do. */
  readonly wasFailed: boolean;
};

/** Groups of pictures dropped so far, and when that number last grew. */
export type DropMemory = { readonly groups: number; readonly grewAtMs: number | null };

export const noDrops: DropMemory = { groups: 0, grewAtMs: null };

export function rememberDrops(before: DropMemory, outputs: readonly OutputStatus[], monotonicMs: number): DropMemory {
  const groups = outputs.reduce((sum, { droppedGroups }) => sum + droppedGroups, 0);
  // A new media host counts from nought again: fewer is not more.
  return { groups, grewAtMs: groups > before.groups ? monotonicMs : before.grewAtMs };
}

export function observeConditions(facts: HealthFacts): readonly ObservedCondition[] {
  const { prepared, complaints, time, board, clockOffset } = facts;
  const recording = observeRecording(facts);
  const found: ObservedCondition[] = [...observeMedia(facts), ...recording];
  found.push(...withoutToldOfRecording(observeBoard(board, clockOffset), recording, facts));
  // A file may well be silent for a while: that is no fault of a microphone.
  const isOwnSound = prepared.plan.capture.file?.soundRateHz != null;
  found.push(...contentConditions(facts.content).filter(({ code }) => code !== 'audio-silent' || !isOwnSound));
  if (prepared.isStreamSwitchedOn === false) found.push({ code: 'stopped-by-command' });
  else if (prepared.isStreamSwitchedOn === null && !prepared.schedule.allowed.stream) {
    found.push({ code: 'outside-schedule', detail: describePause(prepared.schedule) });
  }
  if (prepared.isWaitingForApproval) found.push({ code: 'waits-for-approval' });
  if (!time.isTimeKnown) {
    const detail = `it believes that it is ${new Date(time.nowMs).toISOString()}; since it was switched on nothing has shown that this is right`;
    found.push({ code: 'clock-not-set', detail });
  }
  if (isStandInPicture(prepared)) {
    const { unusableCameras } = prepared;
    found.push({ code: 'test-picture', detail: unusableCameras === '' ? 'no camera was found' : `no usable camera: ${unusableCameras}` });
  }
  if (prepared.shortfall !== null) found.push({ code: 'mode-not-met', detail: prepared.shortfall });
  const media = facts.status?.media;
  if (media?.kind === 'running' && media.microphoneLostAt !== undefined) {
    const fault = media.microphoneFault ?? '';
    found.push({
      code: 'no-microphone',
      detail: `${fault === '' ? 'it was lost' : fault}; the stream carries silence until it can be used`,
    });
  } else if (prepared.noSound !== null) found.push({ code: 'no-microphone', detail: prepared.noSound });
  if (complaints.length > 0) found.push({ code: 'settings-refused', detail: describeRefusals(complaints) });
  return found;
}

/** The test picture because there is no camera, not because somebody asked for it. */
export function isStandInPicture({ plan, settings }: Prepared): boolean {
  return plan.capture.source.kind === 'test' && settings.AV_VIDEO_SOURCE.value !== 'test';
}

export function isPipelineFailed(status: MediaStatus | null, wasFailed: boolean): boolean {
  if (status === null) return wasFailed;
  return status.media.kind === 'failed' || (status.media.kind === 'starting' && wasFailed);
}

function observeMedia({ status, prepared, drops, losses, monotonicMs, wasFailed }: HealthFacts): ObservedCondition[] {
  const found: ObservedCondition[] = [];
  if (isPipelineFailed(status, wasFailed)) {
    found.push(
      status?.media.kind === 'failed' ? { code: 'pipeline-failed', detail: describeLoss(status.media) } : { code: 'pipeline-failed' },
    );
  }
  const lost = recentLosses(losses, monotonicMs);
  if (lost >= unstableFrom) found.push({ code: 'camera-unstable', detail: `it was lost ${lost} times within ten minutes` });
  if (status?.media.kind === 'no-signal') found.push({ code: 'no-signal', detail: describeLoss(status.media) });
  if (status?.media.kind === 'running' && status.media.fileFault !== undefined) {
    found.push({ code: 'video-file-fault', detail: status.media.fileFault });
  }
  found.push(...observeUnseen(status, prepared));
  for (const { id, kind, target, state } of status?.outputs ?? []) {
    if (!isStream({ kind })) continue;
    if (state.kind === 'waiting' || (state.kind === 'connecting' && state.attempt > 1)) {
      found.push({ code: 'output-down', detail: `${id} (${target}): ${state.lastError ?? 'connecting again'}` });
      break;
    }
  }
  if (isDropping(drops, monotonicMs)) {
    const why = isCameraEncoding(status, prepared) ? `; ${whyNotFollowing(prepared)}` : '';
    found.push({ code: 'output-dropping', detail: `${drops.groups} groups of pictures dropped so far${why}` });
  }
  const { adaptation } = status ?? {};
  if (adaptation !== undefined && adaptation.reason !== '') {
    const { bitrateKbps, targetKbps, reason } = adaptation;
    found.push({ code: 'uplink-slow', detail: `${bitrateKbps} of ${targetKbps} kbit/s: ${reason}` });
  }
  const wantedFramesPerSecond = prepared.plan.capture.framesPerSecond;
  const framesPerSecond = status?.figures?.framesPerSecond;
  if (status?.media.kind === 'running' && framesPerSecond !== undefined && framesPerSecond < lowFrameShare * wantedFramesPerSecond) {
    found.push({ code: 'frame-rate-low', detail: `${framesPerSecond.toFixed(1)} of ${wantedFramesPerSecond} frames a second` });
  }
  return found;
}

function isCameraEncoding(status: MediaStatus | null, { plan }: Prepared): boolean {
  return plan.capture.encoder === cameraEncodes && status?.media.kind === 'running';
}

function whyNotFollowing({ plan }: Prepared): string {
  return [
    'the camera encodes by itself, at a bitrate of its own that follows neither the uplink (AV_ADAPTIVE_BITRATE) nor AV_VIDEO_BITRATE:',
    'ask for a smaller picture (AV_VIDEO_WIDTH, AV_VIDEO_HEIGHT); or, where it gives MJPEG or raw pictures too, set AV_VIDEO_FRAMERATE to',
    `${plan.capture.framesPerSecond - 1}, which its H.264 does not have: then the device encodes, and the bitrate follows`,
  ].join(' ');
}

function describeLoss({ reason, nextTryAt }: { readonly reason: string; readonly nextTryAt?: string }): string {
  if (nextTryAt === undefined) return reason;
  return `restarted as often as an hour allows, next try at ${nextTryAt.slice(11, 19)} UTC: ${reason}`;
}

/** A camera's own H.264, of which nothing comes out decoded. */
function observeUnseen(status: MediaStatus | null, { plan }: Prepared): ObservedCondition[] {
  const look = plan.capture.keyframeLook;
  if (look === undefined || status?.media.kind !== 'running' || status.figures === null) return [];
  if (look.description === null) return [{ code: 'picture-unseen', detail: noDecoderWords }];
  const isSeen = !look.isWatched || status.figures.picture !== undefined;
  return isSeen ? [] : [{ code: 'picture-unseen', detail: 'no picture comes out of the decoder' }];
}

function observeRecording({ status, prepared, recordingDrops, monotonicMs }: HealthFacts): ObservedCondition[] {
  const found: ObservedCondition[] = [];
  for (const { state, recording } of (status?.outputs ?? []).filter(({ kind }) => kind === 'recording')) {
    if (state.kind !== 'waiting') continue;
    found.push({ code: recording?.fault === 'disk-full' ? 'recording-disk-full' : 'recording-failed', detail: state.lastError });
  }
  if (prepared.recordingsMeanwhile !== null) {
    found.push({ code: 'recording-disk-away', detail: 'recordings go to recordings-meanwhile in the state directory' });
  }
  // A recording that pauses loses groups as well, and says more about why.
  if (found.every(({ code }) => code === 'recording-disk-away') && isDropping(recordingDrops, monotonicMs)) {
    found.push({ code: 'recording-dropping', detail: `${recordingDrops.groups} groups of pictures missing so far` });
  }
  return found;
}

/** One card for the recordings and the state has one alarm: the graver one of the recording. Of two disks each has its own. */
function withoutToldOfRecording(
  ofBoard: readonly ObservedCondition[],
  recording: readonly ObservedCondition[],
  { prepared, isRecordingWithState }: HealthFacts,
): readonly ObservedCondition[] {
  const isOnOneCard = isRecordingWithState || prepared.recordingsMeanwhile !== null;
  const has = (observed: readonly ObservedCondition[], wanted: ConditionCode) => observed.some(({ code }) => code === wanted);
  const isFull = has(recording, 'recording-disk-full');
  const isRefusing = has(recording, 'recording-failed') && has(ofBoard, 'disk-unwritable');
  if (!isOnOneCard || (!isFull && !isRefusing)) return ofBoard;
  return ofBoard.filter(({ code }) => code !== 'disk-unwritable' && code !== 'disk-low');
}

function isDropping({ grewAtMs }: DropMemory, monotonicMs: number): boolean {
  return grewAtMs !== null && monotonicMs - grewAtMs < dropMemoryMs;
}

/** What is said of the media while no host is connected: it is being started again. */
export function mediaStateOf(status: MediaStatus | null, hostLostAt: string): MediaState {
  return status?.media ?? { kind: 'starting', since: hostLostAt };
}

const maxOutputs = 32;

export type HealthParts = {
  readonly status: MediaStatus | null;
  readonly hostLostAt: string;
  readonly board: BoardSample;
  readonly clockOffset: ClockOffset | null;
  readonly uplinkKbps: number | undefined;
  readonly conditions: Condition[];
  /** Null: there is no place for any. */
  readonly recordings: RecordingsSummary | null;
};

export function buildHealth({ status, hostLostAt, board, clockOffset, uplinkKbps, conditions, recordings }: HealthParts): Health {
  return {
    media: mediaStateOf(status, hostLostAt),
    figures: status?.figures ?? null,
    ...(status?.adaptation === undefined ? {} : { adaptation: status.adaptation }),
    outputs: (status?.outputs ?? []).slice(0, maxOutputs),
    conditions,
    board: {
      ...board,
      mediaHostRssBytes: status?.rssBytes ?? 0,
      ...(uplinkKbps === undefined ? {} : { uplinkKbps }),
      ...(clockOffset === null ? {} : { clockOffsetMs: clockOffset.offsetMs, clockPrecisionMs: clockOffset.precisionMs }),
    },
    ...(recordings === null ? {} : { recordings }),
  };
}

/** Value and level of every setting, as far as they are told. */
export function reportedSettings({ settings }: Prepared): Report['settings'] {
  return Object.fromEntries(
    settingKeys.map((key) => {
      const { level } = settings[key];
      const value = reportedValue(key, settings);
      return [key, settingDefinitions[key].secret ? { value, level, isSecret: true } : { value, level }];
    }),
  );
}

/** The parts of a report whose change is worth a new one; counters and rates travel with the health. */
export function reportFingerprint(report: Report): string {
  const { media, outputs, conditions, ...rest } = report;
  return JSON.stringify({
    ...rest,
    media: media.kind === 'failed' ? [media.kind, media.reason] : media.kind,
    outputs: outputs.map(({ id, kind, target, state }) => [id, kind, target, state.kind]),
    conditions: conditions.map(({ code, since }) => [code, since]),
  });
}
