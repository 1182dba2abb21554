/** Whether settings can run on this hardware, and if not, which ones and why. Pure. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { SettingRefusal } from '#protocol/messages.ts';
import type { WireSettings } from '#protocol/settings.ts';

/** Problems of one level as it came over the wire; keys that this version does not know are let through. */
export function findWireProblems(_wire: WireSettings): readonly SettingRefusal[] {
  return [];
}

/** Empty: the settings are accepted. */
export function acceptSettings(
  _settings: ResolvedSettings,
  _hardware: DetectedHardware,
  _profile: ResolvedProfile,
): readonly SettingRefusal[] {
  return [];
}
