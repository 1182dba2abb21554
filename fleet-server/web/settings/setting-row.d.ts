/** What the form shows of one setting, whatever level it edits. Pure. */
import type { DeviceSettings, LevelSettings, ShownValue } from '#protocol/model/settings.ts';
import { type SettingKey, type SettingLevel } from '#protocol/settings.ts';
export type EditLevel = 'fleet' | 'group' | 'device';
export type SettingRow = {
    readonly key: SettingKey;
    /** What is set at the level that the form edits. */
    readonly own: ShownValue | null;
    /** What holds where this level says nothing, in words for the empty field. */
    readonly inherited: string;
    /** Null on a form that is about no single device. */
    readonly device: {
        readonly inForce: string;
        readonly inForceLevel: SettingLevel | null;
        /** Null while it is what is in force. */
        readonly wanted: {
            readonly words: string;
            readonly level: SettingLevel;
        } | null;
        readonly state: DeviceSettings['state'];
        readonly reason: string | null;
    } | null;
    /** Why setting it here has no effect on the device that is looked at. */
    readonly warning: string | null;
    /** Who set it here. */
    readonly origin: string | null;
};
export declare function deviceRow(setting: DeviceSettings['settings'][number], level: EditLevel): SettingRow | null;
export declare function levelRow(key: SettingKey, settings: LevelSettings, setWords: (at: string, by: string) => string): SettingRow;
