/** Reads a patch of settings: every problem in it at once, or the values in their canonical types. Pure. */
import type { SettingsPatch } from '#protocol/model/settings.ts';
import { isSettingKey, parseSetting, type SettingProblem, type SettingValue, settingDefinitions, settingKeys } from '#protocol/settings.ts';

/** `null`: unset. */
export type CheckedPatch = ReadonlyMap<string, SettingValue | null>;
export type PatchVerdict =
  | { readonly kind: 'patch'; readonly patch: CheckedPatch }
  | { readonly kind: 'problems'; readonly problems: readonly SettingProblem[] };

export function checkPatch(raw: SettingsPatch): PatchVerdict {
  const problems: SettingProblem[] = [];
  const patch = new Map<string, SettingValue | null>();
  for (const [key, value] of Object.entries(raw)) {
    if (!isSettingKey(key)) {
      problems.push({ key, expected: `one of ${settingKeys.join(', ')}`, came: 'a key that is not known' });
    } else if (!settingDefinitions[key].remote) {
      problems.push({
        key,
        expected: 'a key that may be set from the fleet server',
        came: 'one that only the device’s own environment may set',
      });
    } else {
      const parsed = parseSetting(key, value);
      if (parsed.kind === 'problem') problems.push(parsed.problem);
      else patch.set(key, parsed.kind === 'value' ? parsed.value : null);
    }
  }
  return problems.length === 0 ? { kind: 'patch', patch } : { kind: 'problems', problems };
}
