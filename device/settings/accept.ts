/** Whether settings can run on this hardware, and if not, which ones and why. Pure. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import { chooseAudio } from '#device/plan/audio-source.ts';
import { audioRates } from '#device/plan/capture.ts';
import { choosePicture } from '#device/plan/choose-picture.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import { chooseVideo, firstWord, startsWithElement } from '#device/profile/video-source.ts';
import { findParameterProblems, parseParameters } from '#device/settings/encoder-parameters.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';
import type { SettingRefusal } from '#protocol/messages.ts';
import {
  isSettingKey,
  isSettingValue,
  isWireKey,
  maxValueLength,
  parseSetting,
  type SettingDefinition,
  type SettingKey,
  type SettingValue,
  settingDefinitions,
  settingKeys,
  type UnjudgedSettings,
} from '#protocol/settings.ts';
import { isStreamAddress } from '#protocol/stream-targets.ts';

/** As long as a reason may be on the wire. */
const reasonLength = 500;
const onlyFromEnvironment = 'expected from the device’s own environment only';

/** Problems of one level as it came over the wire; keys that this version does not know are let through. */
export function findWireProblems(wire: UnjudgedSettings): readonly SettingRefusal[] {
  return Object.entries(wire).flatMap(([key, value]) => {
    if (!isSettingKey(key)) return isWireKey(key) && !isSettingValue(value) ? refusals(key, [noValue(value)]) : [];
    const definition: SettingDefinition = settingDefinitions[key];
    if (!definition.remote) return refusals(key, [onlyFromEnvironment]);
    return refusals(key, [typeof value === 'object' ? noValue(value) : shapeProblem(key, value)]);
  });
}

/** It is not shown: it may be a secret, and of any depth. */
function noValue(value: unknown): string {
  if (typeof value === 'string') return `expected at most ${maxValueLength} characters, came ${value.length}`;
  const came = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  return `expected a number, true, false or text, came ${came}`;
}

/** Empty: the settings are accepted. Every problem is named, not the first alone. */
export function acceptSettings(
  settings: ResolvedSettings,
  hardware: DetectedHardware,
  profile: ResolvedProfile,
): readonly SettingRefusal[] {
  return settingKeys.flatMap((key) => {
    const { value, level } = settings[key];
    const definition: SettingDefinition = settingDefinitions[key];
    if (!definition.remote && level !== 'default' && level !== 'environment') return refusals(key, [onlyFromEnvironment]);
    if (value === null) return [];
    const misshapen = shapeProblem(key, value);
    if (misshapen !== null) return refusals(key, [misshapen]);
    return refusals(key, hardwareProblems(key, value, { settings, hardware, profile }));
  });
}

function refusals(key: string, reasons: readonly (string | null)[]): readonly SettingRefusal[] {
  return reasons.flatMap((reason) => (reason === null ? [] : [{ key, reason: `${key}: ${reason}`.slice(0, reasonLength) }]));
}

function shapeProblem(key: SettingKey, value: unknown): string | null {
  const parsed = parseSetting(key, value);
  return parsed.kind === 'problem' ? `expected ${parsed.problem.expected}, came ${parsed.problem.came}` : null;
}

type Context = { readonly settings: ResolvedSettings; readonly hardware: DetectedHardware; readonly profile: ResolvedProfile };

function hardwareProblems(key: SettingKey, value: SettingValue, context: Context): readonly (string | null)[] {
  const { settings, hardware, profile } = context;
  if (isStreamAddress(key)) return [hostProblem(String(value))];
  switch (key) {
    case 'AV_ICECAST_URL':
      return [hostProblem(String(value))];
    case 'AV_VIDEO_SOURCE': {
      const choice = chooseVideo(settings.AV_VIDEO_SOURCE, hardware);
      return [choice.kind === 'missing' ? choice.reason : null];
    }
    case 'AV_AUDIO_DEVICE': {
      const choice = chooseAudio(settings, hardware, profile, { kind: 'test' });
      return [choice.kind === 'missing' ? choice.reason : null];
    }
    case 'AV_AUDIO_SAMPLING_RATE':
      return [audioRates.includes(Number(value)) ? null : `expected one of ${audioRates.join(', ')} (Hz), came ${value}`];
    case 'AV_VIDEO_WIDTH':
      return [evenProblem(value)];
    case 'AV_VIDEO_HEIGHT':
      return [evenProblem(value)];
    case 'AV_VIDEO_ROTATE':
      return [rotateProblem(value, hardware)];
    case 'AV_H264_ENCODER_PARAMS':
      return findParameterProblems(String(value), encoderOf(context), hardware.encoders);
    case 'AV_AUDIO_SRC':
      return [audioSourceProblem(String(value).trim(), hardware)];
    case 'AV_H264_PARSER_PARAMS':
      return [parseParameters(String(value)) === null ? 'expected name=value pairs with spaces between them' : null];
    default:
      return [];
  }
}

/** Empty is no address, and a target less. */
function hostProblem(address: string): string | null {
  const isFit = address === '' || (URL.canParse(address) && new URL(address).hostname !== '');
  return isFit ? null : 'expected an address with a host';
}

/** Colour is stored for squares of two by two pixels (4:2:0): encoders refuse odd sides. */
function evenProblem(value: SettingValue): string | null {
  return Number(value) % 2 === 0 ? null : `expected an even number, came ${value}`;
}

/** The one that the planner takes for these settings. */
function encoderOf({ settings, hardware, profile }: Context): EncoderProfile | undefined {
  return choosePicture(chooseVideo(settings.AV_VIDEO_SOURCE, hardware), settings, hardware, profile).encoder;
}

/** What no element is would stop the whole capture. */
function audioSourceProblem(source: string, { elements }: DetectedHardware): string | null {
  if (source === '' || elements.size === 0 || startsWithElement(source, elements)) return null;
  return `expected a source element that this GStreamer has, came "${firstWord(source).slice(0, 60)}"`;
}

/** Where GStreamer's tools told of no element at all, every one is assumed. */
function rotateProblem(value: SettingValue, { elements }: DetectedHardware): string | null {
  if (value === 0 || elements.size === 0 || elements.has('videoflip')) return null;
  return 'expected 0, because this GStreamer has no videoflip to turn pictures with';
}
