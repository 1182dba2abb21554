/** The order of names: as people count and spell, camera 9 before camera 10, and É beside e; of the same name, by id. Pure. */

export type Named = { readonly name: string; readonly id: string };

const digitWidth = 12;

/** The same everywhere, whatever language the machine speaks. */
export function sortName(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/\d+/g, (digits) => digits.padStart(digitWidth, '0'));
}

export function compareNames(a: Named, b: Named): number {
  return (a.name === b.name ? 0 : compareTexts(sortName(a.name), sortName(b.name))) || compareTexts(a.id, b.id);
}

export function sortedByName<Device>(devices: Iterable<Device>, namedOf: (device: Device) => Named): readonly Device[] {
  return Array.from(devices, (device) => {
    const { name, id } = namedOf(device);
    return { device, key: sortName(name), id };
  })
    .sort((a, b) => compareTexts(a.key, b.key) || compareTexts(a.id, b.id))
    .map(({ device }) => device);
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
