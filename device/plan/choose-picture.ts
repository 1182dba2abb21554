/** Size, rate, camera mode and encoder together: what comes nearest to the wish on this hardware. Pure. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import { type CameraMode, chooseMode, type ModeWish, type Rejection } from '#device/plan/camera-mode.ts';
import { chooseEncoder } from '#device/plan/encoder-choice.ts';
import { describePicture, isSameRate, nearestWithin, type Picture } from '#device/plan/picture.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import type { VideoChoice } from '#device/profile/video-source.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';
import { type SettingKey, settingDefinitions } from '#protocol/settings.ts';

export const turns = [0, 90, 180, 270] as const;
export type Turn = (typeof turns)[number];

export type PictureChoice = {
  readonly wish: Picture;
  /** As the camera gives it: a quarter turn swaps its sides afterwards. */
  readonly given: Picture;
  readonly turn: Turn;
  /** A grabber, whose pictures may well be black or stand still. */
  readonly showsSlides: boolean;
  /** Null: no mode of the source is known. */
  readonly mode: CameraMode | null;
  /** Undefined where none is known at all. Not used for a camera's own H.264. */
  readonly encoder: EncoderProfile | undefined;
  readonly rejectedModes: readonly Rejection[];
  readonly rejectedEncoders: readonly Rejection[];
  /** What keeps the wish from being met, in words; null: it is met. */
  readonly shortfall: string | null;
};

export function choosePicture(
  video: VideoChoice,
  settings: ResolvedSettings,
  hardware: DetectedHardware,
  profile: ResolvedProfile,
): PictureChoice {
  const wish = wishedPicture(settings);
  const turn = turns.find((known) => known === Number(settings.AV_VIDEO_ROTATE.value)) ?? 0;
  const { encoder, rejected: rejectedEncoders } = chooseEncoder(profile.encoders, wish);
  const limit = encoder?.maximumPixelsPerSecond;
  if (video.kind !== 'camera') {
    const given = nearestWithin(wish, limit);
    return {
      wish,
      given,
      turn,
      showsSlides: false,
      mode: null,
      encoder,
      rejectedModes: [],
      rejectedEncoders,
      shortfall: whyLess(given, wish, wish, encoder),
    };
  }
  const modeWish: ModeWish = {
    picture: wish,
    isTurned: turn !== 0,
    profile: profile.cameras.get(video.camera.id),
    board: profile.board,
    cameras: hardware.cameras,
    encoderPixelsPerSecond: limit,
  };
  const { mode, given, rejected: rejectedModes } = chooseMode(video.camera, modeWish);
  // What the camera would give to an encoder without limits tells which of the two is too small.
  const ofCamera = chooseMode(video.camera, { ...modeWish, encoderPixelsPerSecond: undefined }).given;
  const showsSlides = modeWish.profile?.quirks.includes('still-pictures') === true;
  return {
    wish,
    given,
    turn,
    showsSlides,
    mode,
    encoder,
    rejectedModes,
    rejectedEncoders,
    shortfall: whyLess(given, ofCamera, wish, encoder),
  };
}

/** The size and rate that the settings ask for. Encoders take no odd side (4:2:0 colour). */
function wishedPicture(settings: ResolvedSettings): Picture {
  // A plan is made of refused settings as well, if only to be thrown away.
  const number = (key: SettingKey) =>
    [Number(settings[key].value), Number(settingDefinitions[key].default)].find((value) => value >= 1) ?? 1;
  const even = (key: SettingKey) => Math.max(2, Math.floor(number(key) / 2) * 2);
  return { width: even('AV_VIDEO_WIDTH'), height: even('AV_VIDEO_HEIGHT'), framesPerSecond: number('AV_VIDEO_FRAMERATE') };
}

function isSamePicture(left: Picture, right: Picture): boolean {
  return left.width === right.width && left.height === right.height && isSameRate(left.framesPerSecond, right.framesPerSecond);
}

function whyLess(given: Picture, ofCamera: Picture, wish: Picture, encoder: EncoderProfile | undefined): string | null {
  if (isSamePicture(given, wish)) return null;
  const reasons = [
    ...(isSamePicture(ofCamera, wish) ? [] : ['the camera has nothing nearer that can be used']),
    ...(isSamePicture(given, ofCamera) || encoder === undefined ? [] : [`${encoder.title} carries no more on this board`]),
  ];
  return `wished ${describePicture(wish)}, given ${describePicture(given)}: ${reasons.join(', and ')}`;
}
