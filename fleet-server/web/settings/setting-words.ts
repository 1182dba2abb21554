/** Values and levels of settings in words. Pure. */
import type { ShownValue } from '#protocol/model/settings.ts';
import type { SettingKey, SettingLevel, SettingValue } from '#protocol/settings.ts';
import { dayWords } from '../time/words.ts';
import { definitionOf } from './setting-groups.ts';

export const levelWords: { readonly [Level in SettingLevel]: string } = {
  default: 'Default',
  relay: 'Fleet’s relay',
  'board-profile': 'Board profile',
  'camera-profile': 'Camera profile',
  environment: 'Device’s environment',
  fleet: 'Fleet',
  group: 'Group',
  device: 'This device',
};

export function valueWords(key: SettingKey, value: SettingValue): string {
  const { unit } = definitionOf(key);
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (value === '') return 'empty';
  return typeof value === 'number' && unit !== undefined ? `${value} ${unit === '1/s' ? 'fps' : unit}` : String(value);
}

export function shownWords(key: SettingKey, shown: ShownValue | null, level: SettingLevel): string {
  if (shown?.kind === 'plain') return valueWords(key, shown.value);
  if (shown?.kind === 'secret') return shown.setAt === null ? 'set' : `set on ${dayWords(shown.setAt)}`;
  if (level === 'relay') return 'given by the fleet';
  return definitionOf(key).secret ? 'not set' : 'chosen by the device';
}

/** A value as it stands in its field. */
export function fieldText(shown: ShownValue | undefined): string {
  if (shown?.kind !== 'plain') return '';
  return typeof shown.value === 'boolean' ? (shown.value ? '1' : '0') : String(shown.value);
}
