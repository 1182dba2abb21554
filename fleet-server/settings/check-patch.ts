/** Reads a patch of settings: every problem in it at once, or the values in their canonical types. Pure. */
import { FleetError } from '#fleet-server/errors.ts';
import type { SettingsPatch } from '#protocol/model/settings.ts';
import { isSettingKey, parseSetting, type SettingProblem, type SettingValue, settingDefinitions, settingKeys } from '#protocol/settings.ts';
import { remoteProblem } from '#protocol/stream-address.ts';

/** `null`: unset. */
export type CheckedPatch = ReadonlyMap<string, SettingValue | null>;
/** What of it could be set, and every problem with the rest. */
export type ReadPatch = { readonly patch: CheckedPatch; readonly problems: readonly SettingProblem[] };

export function acceptedPatch(raw: SettingsPatch): CheckedPatch {
  return accepted(readPatch(raw));
}

export function restoredPatch(raw: SettingsPatch): CheckedPatch {
  return accepted(readRestored(raw));
}

/** Of values that were in force before: an address that is not taken any more comes back all the same. */
export function readRestored(raw: SettingsPatch): ReadPatch {
  return readPatch(raw, () => null);
}

function accepted({ patch, problems }: ReadPatch): CheckedPatch {
  if (problems.length === 0) return patch;
  const list = problems.map(({ key, expected, came }) => `${key}: expected ${expected}, got ${came}`).join('; ');
  throw new FleetError('settings-refused', `Nothing was changed. ${list}.`, { problems });
}

export function readPatch(raw: SettingsPatch, refusal = remoteProblem): ReadPatch {
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
      const refused = parsed.kind === 'value' ? refusal(key, parsed.value) : null;
      if (parsed.kind === 'problem') problems.push(parsed.problem);
      else if (refused !== null) problems.push(refused);
      else patch.set(key, parsed.kind === 'value' ? parsed.value : null);
    }
  }
  return { patch, problems };
}
