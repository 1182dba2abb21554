/** What each level sets for each of several devices, read in one query a level. */
import type { CheckedPatch } from '#fleet-server/settings/check-patch.ts';
import type { LevelValues } from '#fleet-server/settings/desired-document.ts';
import type { RevisionRow, Scope, ServerLevel, SettingsStore, StoredSetting } from '#fleet-server/settings/settings-store.ts';
import { type Trial, trialsWithDevices } from '#fleet-server/settings/trials-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { SettingValue } from '#protocol/settings.ts';

export type DeviceLevels = { readonly [L in ServerLevel]: readonly StoredSetting[] };

/** Of these devices. `where`: what they have in common; less is read then. */
export async function readLevels(
  store: SettingsStore,
  secrets: Secrets,
  database: Database,
  where: Scope,
  rows: readonly Pick<RevisionRow, 'id' | 'groupName'>[],
): Promise<(row: Pick<RevisionRow, 'id' | 'groupName'>) => DeviceLevels> {
  const group = where.level === 'device' ? (rows[0]?.groupName ?? null) : where.level === 'group' ? where.scope : undefined;
  const ids = rows.map(({ id }) => id);
  const [fleet, groups, devices, trials] = await Promise.all([
    store.read(database, { level: 'fleet', scope: '' }),
    group === undefined ? store.readAll(database, 'group') : group === null ? [] : store.read(database, { level: 'group', scope: group }),
    where.level === 'device' ? store.read(database, where) : store.readOfDevices(database, ids),
    trialsWithDevices(database, secrets, ids),
  ]);
  const ofGroup = byScope(groups);
  const ofDevice = byScope(devices);
  return ({ id, groupName }) => {
    const own = { fleet, group: groupName === null ? [] : (ofGroup.get(groupName) ?? []), device: ofDevice.get(id) ?? [] };
    return trials
      .filter(({ level, scope, deviceIds }) => deviceIds.has(id) && (level === 'fleet' || scope === groupName))
      .reduce(underTrial, own);
  };
}

/** To a device on which a trial is in force the level is as it will be. */
function underTrial(levels: DeviceLevels, { level, scope, patch, startedAtMs, startedBy }: Trial): DeviceLevels {
  const by = { setAtMs: startedAtMs, setBy: startedBy };
  return { ...levels, [level]: withPatch(levels[level], { level, scope }, patch, by) };
}

export function valuesOf(settings: readonly StoredSetting[]): LevelValues {
  return Object.fromEntries(settings.map(({ key, value }): [string, SettingValue] => [key, value]));
}

export type SetBy = { readonly setAtMs: number; readonly setBy: string };

/** One level as it is after the patch. */
export function withPatch(settings: readonly StoredSetting[], where: Scope, patch: CheckedPatch, by: SetBy): readonly StoredSetting[] {
  const others = settings.filter(({ key, value }) => !patch.has(key) || patch.get(key) === value);
  const isThere = new Set(others.map(({ key }) => key));
  const set = [...patch].flatMap(([key, value]) => (value === null || isThere.has(key) ? [] : [{ ...where, key, value, ...by }]));
  return [...others, ...set];
}

function byScope(settings: readonly StoredSetting[]): ReadonlyMap<string, readonly StoredSetting[]> {
  const scopes = new Map<string, StoredSetting[]>();
  for (const setting of settings) {
    const scope = scopes.get(setting.scope);
    if (scope === undefined) scopes.set(setting.scope, [setting]);
    else scope.push(setting);
  }
  return scopes;
}
