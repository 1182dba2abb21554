/** How the settings are laid out. Pure. */
import { type SettingDefinition, type SettingKey } from '#protocol/settings.ts';
export type SettingGroup = {
    readonly title: string;
    readonly keys: readonly SettingKey[];
};
export declare function definitionOf(key: SettingKey): SettingDefinition;
/** Every setting that can be set from here; one that nobody laid out yet stands under Advanced. */
export declare function settingGroups(): readonly SettingGroup[];
