/** What the form shows of one setting, whatever level it edits. Pure. */
import type { DeviceSetting, LevelSettings, ShownValue } from '#protocol/model/settings.ts';
import { isSettingKey, type SettingKey, type SettingLevel } from '#protocol/settings.ts';
import type { EditedLevel } from '../api/queries.ts';
import { definitionOf } from './setting-groups.ts';
import { levelWords, shownWords } from './setting-words.ts';

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
    readonly wanted: { readonly words: string; readonly level: SettingLevel } | null;
    readonly state: DeviceSetting['state'];
    readonly reason: string | null;
  } | null;
  /** Why setting it here has no effect on the device that is looked at. */
  readonly warning: string | null;
  /** Who set it here. */
  readonly origin: string | null;
};

/** At the level that the form edits, or at any other of the device that is looked at. */
export function isSetSomewhere({ own, device }: SettingRow): boolean {
  if (own !== null) return true;
  return device !== null && (device.wanted !== null || (device.inForceLevel !== null && device.inForceLevel !== 'default'));
}

const editedLevels: readonly EditedLevel[] = ['fleet', 'group', 'device'];

export function deviceRow(setting: DeviceSetting, level: EditedLevel): SettingRow | null {
  const { key, levels } = setting;
  if (!isSettingKey(key)) return null;
  const own = levels[level] ?? null;
  const weaker = editedLevels.slice(0, editedLevels.indexOf(level)).findLast((name) => levels[name] !== undefined);
  const stronger = editedLevels.slice(editedLevels.indexOf(level) + 1).findLast((name) => levels[name] !== undefined);
  const isBelow = !(editedLevels as readonly string[]).includes(setting.desiredLevel);
  const inForce =
    setting.inForce === null && setting.inForceLevel === null
      ? 'not reported yet'
      : shownWords(key, setting.inForce, setting.inForceLevel ?? 'default');
  const wanted = shownWords(key, setting.desired, setting.desiredLevel);
  const isSame = setting.inForceLevel === setting.desiredLevel && inForce === wanted;
  let inherited = 'inherited';
  if (weaker !== undefined) inherited = shownWords(key, levels[weaker] ?? null, weaker);
  else if (isBelow) inherited = wanted;
  return {
    key,
    own,
    inherited,
    device: {
      inForce,
      inForceLevel: setting.inForceLevel,
      wanted: isSame || setting.state === 'applied' ? null : { words: wanted, level: setting.desiredLevel },
      state: setting.state,
      reason: setting.reason,
    },
    warning: stronger === undefined ? null : `“${levelWords[stronger]}” sets this for this device and is stronger.`,
    origin: null,
  };
}

export function levelRow(key: SettingKey, settings: LevelSettings, setWords: (at: string, by: string) => string): SettingRow {
  const found = settings.settings.find((setting) => setting.key === key);
  return {
    key,
    own: found?.value ?? null,
    inherited: inheritedByFleet(key),
    device: null,
    warning: null,
    origin: found === undefined ? null : setWords(found.setAt, found.setBy),
  };
}

/** Weaker levels differ from device to device: what is said here holds for a device that has none. */
function inheritedByFleet(key: SettingKey): string {
  if (key === 'AV_STREAM_URL' || key === 'AV_STREAM_KEY') return shownWords(key, null, 'relay');
  const { default: value } = definitionOf(key);
  return value === null ? shownWords(key, null, 'default') : shownWords(key, { kind: 'plain', value }, 'default');
}
