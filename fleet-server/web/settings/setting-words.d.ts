/** Values and levels of settings in words. Pure. */
import type { ShownValue } from '#protocol/model/settings.ts';
import type { SettingKey, SettingLevel, SettingValue } from '#protocol/settings.ts';
export declare const levelWords: {
    readonly [Level in SettingLevel]: string;
};
export declare function valueWords(key: SettingKey, value: SettingValue): string;
export declare function shownWords(key: SettingKey, shown: ShownValue | null, level: SettingLevel): string;
/** A value as it stands in its field. */
export declare function fieldText(shown: ShownValue | undefined): string;
