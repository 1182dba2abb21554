/**
 * What a fleet server, and so everybody who may look at it, is told of a setting's value. Pure.
 *
 * INVARIANT: what stands in the device's own environment was not written for the fleet: no password and no key that is in an address or in
 * a source of GStreamer's leaves the device.
 */
import { shownAddress } from '#device/plan/output.ts';
import { firstWord } from '#device/profile/video-source.ts';
import type { ResolvedSetting, ResolvedSettings } from '#device/settings/levels.ts';
import { type SettingKey, type SettingValue, settingDefinitions } from '#protocol/settings.ts';
import { keyOfAddress } from '#protocol/stream-address.ts';

/** Of a secret only whether there is one. */
export function reportedValue(key: SettingKey, settings: ResolvedSettings): SettingValue | null {
  const { value, level }: ResolvedSetting = settings[key];
  if (settingDefinitions[key].secret) return value !== null && value !== '';
  if (level !== 'environment' || typeof value !== 'string' || value === '') return value;
  if (key === 'AV_VIDEO_SOURCE' && value.trim().startsWith('file:')) return value;
  if (key === 'AV_VIDEO_SOURCE' || key === 'AV_AUDIO_SRC') return firstWord(value);
  const keyName = keyOfAddress[key];
  if (keyName === undefined) return value;
  const streamKey = settings[keyName].value;
  return shownAddress(value, streamKey !== null && streamKey !== '');
}
