/** Reads a patch of settings: every problem in it at once, or the values in their canonical types. Pure. */
import { FleetError } from '#fleet-server/errors.ts';
import type { SettingsPatch } from '#protocol/model/settings.ts';
import { isSettingKey, parseSetting, type SettingProblem, type SettingValue, settingDefinitions, settingKeys } from '#protocol/settings.ts';

/** `null`: unset. */
export type CheckedPatch = ReadonlyMap<string, SettingValue | null>;
/** What of it could be set, and every problem with the rest. */
export type ReadPatch = { readonly patch: CheckedPatch; readonly problems: readonly SettingProblem[] };

export function acceptedPatch(raw: SettingsPatch): CheckedPatch {
  const { patch, problems } = readPatch(raw);
  if (problems.length === 0) return patch;
  const list = problems.map(({ key, expected, came }) => `${key}: expected ${expected}, got ${came}`).join('; ');
  throw new FleetError('settings-refused', `Nothing was changed. ${list}.`, { problems });
}

export function readPatch(raw: SettingsPatch): ReadPatch {
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
  return { patch, problems };
}
