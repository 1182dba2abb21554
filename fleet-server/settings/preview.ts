/** What a patch would do to each device, drawn from what each level sets before and after it. Pure. */
import type { LastingReport } from '#fleet-server/devices/kept-report.ts';
import type { DeviceLevels } from '#fleet-server/settings/level-values.ts';
import { desiredSetting } from '#fleet-server/settings/provenance.ts';
import type { PreviewedChange, SettingsPreview } from '#protocol/model/settings.ts';
import { isSettingKey } from '#protocol/settings.ts';

export type PreviewedDevice = {
  readonly id: string;
  readonly name: string;
  readonly isOnline: boolean;
  readonly report: LastingReport | null;
  readonly before: DeviceLevels;
  readonly after: DeviceLevels;
};

export type PreviewPage = { readonly skip: number; readonly limit: number };

/** Keys that stay as they are in every way are left out. */
export function previewedChanges(device: PreviewedDevice, keys: readonly string[]): PreviewedChange[] {
  return keys.filter(isSettingKey).flatMap((key): PreviewedChange[] => {
    const from = desiredSetting(key, device.before, device.report);
    const to = desiredSetting(key, device.after, device.report);
    const shown = { key, from: { value: from.value, level: from.level }, to: { value: to.value, level: to.level } };
    if (from.set?.value !== to.set?.value) {
      // Below the server's levels a value may be the same that was set here.
      const isSame = from.value?.kind === 'plain' && to.value?.kind === 'plain' && from.value.value === to.value.value;
      return [{ ...shown, effect: isSame ? 'level' : 'value' }];
    }
    return [{ ...shown, effect: from.level === to.level ? 'none' : 'level' }];
  });
}

export type PreviewOfDevice = SettingsPreview['devices'][number] & { readonly isTouched: boolean };

export function previewDevice(device: PreviewedDevice, keys: readonly string[]): PreviewOfDevice {
  const { id, name, isOnline } = device;
  const changes = previewedChanges(device, keys);
  return { id, name, isOnline, changes, isTouched: changes.some(({ effect }) => effect === 'value') };
}

/** A page of them, those that are touched before the others. */
export function previewOf(
  all: readonly PreviewOfDevice[],
  { skip, limit }: PreviewPage,
): Pick<SettingsPreview, 'deviceCount' | 'touchedCount' | 'devices' | 'next'> {
  const shown = all.toSorted(
    (a, b) => Number(b.isTouched) - Number(a.isTouched) || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1),
  );
  return {
    deviceCount: all.length,
    touchedCount: all.filter(({ isTouched }) => isTouched).length,
    devices: shown.slice(skip, skip + limit).map(({ isTouched: _, ...device }) => device),
    next: skip + limit < all.length ? skip + limit : null,
  };
}
