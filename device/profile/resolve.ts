/** Which profiles fit the hardware that was found. Pure. */
import type { BoardFact, CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { resolveSettings, type SettingsByLevel } from '#device/settings/levels.ts';
import type { BoardProfile, CameraProfile, EncoderProfile, HardwareProfiles } from '#hardware-profiles/schema.ts';
import type { SettingValues } from '#protocol/settings.ts';

export type ResolvedProfile = {
  readonly board: BoardProfile;
  /** By camera id. */
  readonly cameras: ReadonlyMap<string, CameraProfile>;
  /** Encoders that start here and that the board wants, best first; those that the board surely has when GStreamer told of none. */
  readonly encoders: readonly EncoderProfile[];
};

export function resolveProfile(hardware: DetectedHardware, profiles: HardwareProfiles): ResolvedProfile {
  const board = best(profiles.boards, (profile) => boardScore(profile, hardware.board));
  if (board === null) throw new Error('expected a board profile without a rule among the hardware profiles, came none');
  const cameras = hardware.cameras.flatMap((camera) => {
    const profile = best(profiles.cameras, (candidate) => cameraScore(candidate, camera));
    return profile === null ? [] : [[camera.id, profile] as const];
  });
  const wanted = encodersOf(board, profiles.encoders);
  const factOf = (encoder: EncoderProfile) => hardware.encoders.find(({ element }) => element === encoder.match.element);
  const present = wanted.filter((encoder) => factOf(encoder) !== undefined);
  const starting = present.filter((encoder) => factOf(encoder)?.failure === undefined);
  // Where none starts, the media host says why: that is more than having none to try.
  const unseen = wanted.filter(({ id }) => !board.encoders.some((encoder) => encoder.id === id && encoder.onlyWhereFound));
  const encoders = [starting, present].find(({ length }) => length > 0) ?? unseen;
  return { board, cameras: new Map(cameras), encoders };
}

/** In the board's order, each with the narrower of its own limit and the board's. */
export function encodersOf(board: BoardProfile, encoders: readonly EncoderProfile[]): readonly EncoderProfile[] {
  return board.encoders.flatMap(({ id, maximumPixelsPerSecond: onBoard }) =>
    encoders
      .filter((encoder) => encoder.id === id)
      .map((encoder) => {
        const limits = [encoder.maximumPixelsPerSecond, onBoard].filter((limit) => limit !== undefined);
        return limits.length === 0 ? encoder : { ...encoder, maximumPixelsPerSecond: Math.min(...limits) };
      }),
  );
}

/** The same levels with those of the profiles put in. The camera's profile is that of the camera which the levels choose. */
export function withProfileLevels(levels: SettingsByLevel, hardware: DetectedHardware, profile: ResolvedProfile): SettingsByLevel {
  // Profiles are checked against the settings' registry when they are loaded.
  const withBoard = { ...levels, 'board-profile': profile.board.settings as SettingValues };
  const choice = chooseVideo(resolveSettings(withBoard).AV_VIDEO_SOURCE, hardware);
  const camera = choice.kind === 'camera' ? profile.cameras.get(choice.camera.id) : undefined;
  return { ...withBoard, 'camera-profile': (camera?.settings ?? {}) as SettingValues };
}

/** The highest score above null wins; the first of equals. */
function best<P>(profiles: readonly P[], scoreOf: (profile: P) => number | null): P | null {
  let winner: { readonly profile: P; readonly score: number } | null = null;
  for (const profile of profiles) {
    const score = scoreOf(profile);
    if (score !== null && (winner === null || score > winner.score)) winner = { profile, score };
  }
  return winner?.profile ?? null;
}

/** What a rule is worth when it fits: null when it does not. */
function worth(fits: boolean | null, points: number): number | null {
  if (fits === null) return 0;
  return fits ? points : null;
}

function sum(parts: readonly (number | null)[]): number | null {
  return parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
}

/** Which rules of the board's profile fit, in words. */
export function whyBoard({ match }: BoardProfile): string {
  const rules = [
    ...(match.model === undefined ? [] : [`the model fits ${match.model}`]),
    ...(match.architectures === undefined ? [] : [`the architecture is one of ${match.architectures.join(', ')}`]),
  ];
  return rules.length === 0 ? 'no other profile fits' : rules.join(' and ');
}

export function whyCamera({ match }: CameraProfile): string {
  return [
    ...(match.usbIds === undefined ? [] : [`the USB id is one of ${match.usbIds.join(', ')}`]),
    ...(match.name === undefined ? [] : [`the name fits ${match.name}`]),
    ...(match.driver === undefined ? [] : [`the driver fits ${match.driver}`]),
  ].join(' and ');
}

function boardScore({ match }: BoardProfile, board: BoardFact): number | null {
  const model = match.model === undefined ? null : board.model !== null && new RegExp(match.model, 'i').test(board.model);
  const architecture = match.architectures?.includes(board.architecture) ?? null;
  return sum([worth(model, 2), worth(architecture, 1)]);
}

function cameraScore({ match }: CameraProfile, camera: CameraFact): number | null {
  const usbId = match.usbIds === undefined ? null : camera.usb !== null && match.usbIds.includes(camera.usb.id);
  const name = match.name === undefined ? null : new RegExp(match.name, 'i').test(camera.name);
  const driver = match.driver === undefined ? null : new RegExp(match.driver, 'i').test(camera.driver);
  return sum([worth(usbId, 4), worth(name, 2), worth(driver, 1)]);
}
