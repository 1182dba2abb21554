/** Merges the levels of settings into the values in force, each with the level it comes from. Pure. */
import {
  type SettingKey,
  type SettingLevel,
  type SettingValue,
  type SettingValues,
  settingDefinitions,
  settingKeys,
  settingLevels,
} from '#protocol/settings.ts';

export type SettingsByLevel = { readonly [L in Exclude<SettingLevel, 'default'>]?: SettingValues };

/** null: nobody set it, and it is detected. */
export type ResolvedSetting = { readonly value: SettingValue | null; readonly level: SettingLevel };
export type ResolvedSettings = { readonly [K in SettingKey]: ResolvedSetting };

export function resolveSettings(levels: SettingsByLevel): ResolvedSettings {
  const resolved = Object.fromEntries(settingKeys.map((key) => [key, strongest(key, levels)])) as Record<SettingKey, ResolvedSetting>;
  // The relay's key opens the relay of the fleet and is no business of any other address.
  const isKeyOfRelay = resolved.AV_STREAM_KEY.level === 'relay';
  if (isKeyOfRelay && resolved.AV_STREAM_URL.level !== 'relay') {
    return { ...resolved, AV_STREAM_KEY: { value: settingDefinitions.AV_STREAM_KEY.default, level: 'default' } };
  }
  return resolved;
}

function strongest(key: SettingKey, levels: SettingsByLevel): ResolvedSetting {
  for (const level of settingLevels.toReversed()) {
    if (level === 'default') break;
    const value = levels[level]?.[key];
    if (value !== undefined) return { value, level };
  }
  return { value: settingDefinitions[key].default, level: 'default' };
}
