/** What a change would do on one device, in words. Pure. */
import type { PreviewedChange } from '#protocol/model/settings.ts';
import { isSettingKey, type SettingLevel } from '#protocol/settings.ts';
import { levelWords, shownWords } from './setting-words.ts';

export type EffectWords = { readonly before: string; readonly after: string };

export function effectWords({ key, from, to, effect }: PreviewedChange): EffectWords {
  const before = words(key, from);
  switch (effect) {
    case 'value':
      return { before: `${before} →`, after: words(key, to) };
    case 'level':
      return { before: `stays ${before}, then from`, after: ofDevice(to.level) };
    case 'none':
      return { before: `stays ${before}`, after: '' };
    default:
      return effect satisfies never;
  }
}

function words(key: string, { value, level }: PreviewedChange['from']): string {
  const shown = isSettingKey(key) ? shownWords(key, value, level) : '';
  return `${shown} (${ofDevice(level)})`;
}

/** Among several devices none is “this” one. */
function ofDevice(level: SettingLevel): string {
  return level === 'device' ? 'Device' : levelWords[level];
}
