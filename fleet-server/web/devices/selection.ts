/** Which devices are chosen to be asked, tagged or moved: some that were ticked, on any page, or all that match. Pure. */
import type { DeviceMatch } from '#protocol/model/device.ts';

export type Selected = { readonly id: string; readonly name: string };
export type Selection =
  | { readonly kind: 'ticked'; readonly devices: ReadonlyMap<string, string> }
  /** Whichever they are by the time that they are asked. */
  | { readonly kind: 'matching'; readonly match: DeviceMatch };

export const noneTicked: Selection = { kind: 'ticked', devices: new Map() };

export function isTicked(selection: Selection, id: string): boolean {
  return selection.kind === 'matching' || selection.devices.has(id);
}

/** Without one of them it is no longer all: those that are in sight stay ticked. */
export function withTick(selection: Selection, { id, name }: Selected, isOn: boolean, shown: readonly Selected[]): Selection {
  const devices = new Map(selection.kind === 'ticked' ? selection.devices : shown.map((one) => [one.id, one.name]));
  if (isOn) devices.set(id, name);
  else devices.delete(id);
  return { kind: 'ticked', devices };
}

export function withAll(selection: Selection, shown: readonly Selected[]): Selection {
  const before = selection.kind === 'ticked' ? selection.devices : new Map<string, string>();
  return { kind: 'ticked', devices: new Map([...before, ...shown.map(({ id, name }) => [id, name] as const)]) };
}

/** All that match are chosen as long as the same is looked for. */
export function whileMatching(selection: Selection, match: DeviceMatch): Selection {
  return selection.kind === 'matching' && JSON.stringify(selection.match) !== JSON.stringify(match) ? noneTicked : selection;
}

/** As the server is told. */
export function selectionBody(selection: Selection): { readonly deviceIds: readonly string[] } | { readonly matching: DeviceMatch } {
  return selection.kind === 'ticked' ? { deviceIds: [...selection.devices.keys()] } : { matching: selection.match };
}
