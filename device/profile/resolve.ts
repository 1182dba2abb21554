/** Which profiles fit the hardware that was found. Pure. */
import type { CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import type { SettingsByLevel } from '#device/settings/levels.ts';
import type { BoardProfile, CameraProfile, EncoderProfile, HardwareProfiles } from '#hardware-profiles/schema.ts';

export type ResolvedProfile = {
  readonly board: BoardProfile;
  /** By camera id. */
  readonly cameras: ReadonlyMap<string, CameraProfile>;
  /** Encoders that this machine has and the board wants, best first. */
  readonly encoders: readonly EncoderProfile[];
};

export function resolveProfile(_hardware: DetectedHardware, _profiles: HardwareProfiles): ResolvedProfile {
  throw new Error('not built yet');
}

/** The profile of one camera; null when none fits. */
export function cameraProfileOf(camera: CameraFact, profile: ResolvedProfile): CameraProfile | null {
  return profile.cameras.get(camera.id) ?? null;
}

/** The same levels with what the profiles of the board and of the camera in use say put in. */
export function withProfileLevels(levels: SettingsByLevel, _hardware: DetectedHardware, _profile: ResolvedProfile): SettingsByLevel {
  return levels;
}
