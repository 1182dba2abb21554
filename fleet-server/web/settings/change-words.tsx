/** A change of one key, from one value to another. */
import type { RevisionChange, ShownValue } from '#protocol/model/settings.ts';
import { isSettingKey } from '#protocol/settings.ts';
import { valueWords } from './setting-words.ts';

function words(key: string, shown: ShownValue | null): string {
  if (shown === null) return 'not set';
  if (shown.kind === 'secret') return 'a secret';
  return isSettingKey(key) ? valueWords(key, shown.value) : String(shown.value);
}

export function ChangeLine({ change: { key, before, after } }: { readonly change: RevisionChange }) {
  return (
    <div style={{ overflowWrap: 'anywhere', fontSize: 14 }}>
      <code>{key}</code> <span className="dim">{words(key, before)} →</span> <strong>{words(key, after)}</strong>
    </div>
  );
}
