/** The parts of a device's page, each with an address of its own. Pure. */

const parts = [
  { name: 'overview', title: 'Overview', isForOperators: false },
  { name: 'settings', title: 'Settings', isForOperators: false },
  { name: 'commands', title: 'Commands', isForOperators: false },
  { name: 'recordings', title: 'Recordings', isForOperators: false },
  { name: 'history', title: 'History', isForOperators: false },
  { name: 'log', title: 'Log', isForOperators: true },
] as const;
export type DevicePart = (typeof parts)[number];
export type DevicePartName = DevicePart['name'];

/** The server tells the log to operators only. */
export function partsFor(isOperator: boolean): readonly DevicePart[] {
  return parts.filter((part) => isOperator || !part.isForOperators);
}

/** An address that names no part, or one that is not for this person, leads to the first. */
export function partOf(text: string, offered: readonly DevicePart[]): DevicePartName {
  return offered.find(({ name }) => name === text)?.name ?? 'overview';
}
