/**
 * Who has a place on air, and who may take it: the same for cameras and microphones. Pure.
 *
 * INVARIANT: nothing goes on air because something else went away. What is on air keeps its place while it is not there; what was
 * beside it stays beside it.
 */
import type { UsbIdentity } from '#device/detect/facts.ts';
import { partOf, usbNameAnywhere } from '#device/detect/usb.ts';

export type Plugged = { readonly id: string; readonly usb: UsbIdentity | null };

export type Place<T extends Plugged> = {
  /** The setting when it took its place; empty: nothing was chosen. */
  readonly wanted: string;
  /** As it was seen last. */
  readonly holder: T;
  /** At the last look. */
  readonly isAway: boolean;
  /** Ids of what was seen beside it, the latest ones last. */
  readonly bystanders: readonly string[];
};

export const maximumBystanders = 64;

/**
 * What comes with the one that was on air, on one hub that is put back for example, may come before it. Devices on a hub are made
 * known one after the other, each within some 100 ms: for so long the place is kept for the one that had it.
 */
export const precedenceMs = 1000;

/** Of a look: its moment, monotonic, and what the look before said. */
export type LookTime = { readonly nowMs: number; readonly newcomerSinceMs: number | null };

export type Found<T extends Plugged> = {
  /** Undefined: it is away, and nobody takes its place. */
  readonly holder: T | undefined;
  /** Those that may take the place when their time has come. */
  readonly newcomers: readonly T[];
  /** Since when there has been one, which takes the place `precedenceMs` later; null: there is none. Monotonic. */
  readonly newcomerSinceMs: number | null;
};

/** `sharedNames`: names without their sockets (usb.ts) for which a serial number tells nothing. */
export function findHolder<T extends Plugged>(
  there: readonly T[],
  place: Place<T>,
  time: LookTime,
  sharedNames: readonly string[] = [],
): Found<T> {
  const same = findSame(there, place, sharedNames);
  if (same !== undefined) return { holder: same, newcomers: [], newcomerSinceMs: null };
  const newcomers = findNewcomers(there, place);
  const newcomerSinceMs = newcomers.length === 0 ? null : (time.newcomerSinceMs ?? time.nowMs);
  const isFree = newcomerSinceMs !== null && time.nowMs - newcomerSinceMs >= precedenceMs;
  return { holder: isFree ? newcomers[0] : undefined, newcomers, newcomerSinceMs: isFree ? null : newcomerSinceMs };
}

export function bystandersOf(holder: Plugged, there: readonly Plugged[], before: readonly string[]): readonly string[] {
  const beside = new Set(before);
  for (const { id } of there) beside.add(id);
  beside.delete(holder.id);
  return [...beside].slice(-maximumBystanders);
}

/** The one itself, also in another socket if its serial number tells. What was beside it is another one, though it has the same. */
function findSame<T extends Plugged>(there: readonly T[], { holder, bystanders }: Place<T>, sharedNames: readonly string[]): T | undefined {
  const same = there.find(({ id }) => id === holder.id);
  if (same !== undefined) return same;
  const name = holder.usb === null ? null : usbNameAnywhere(holder.usb);
  if (name === null || sharedNames.includes(name)) return undefined;
  const moved = there.filter((candidate) => !bystanders.includes(candidate.id) && isTwin(candidate, holder));
  return moved.length === 1 ? moved[0] : undefined;
}

/**
 * Those that it may be itself in another socket, or that were plugged in in its stead; the first takes the place. What else is there
 * when it is first missed was there before it went.
 */
function findNewcomers<T extends Plugged>(there: readonly T[], { wanted, holder, isAway, bystanders }: Place<T>): readonly T[] {
  const came = there.filter(({ id }) => !bystanders.includes(id));
  const twins = came.filter((candidate) => isTwin(candidate, holder));
  const itself = twins.length === 1 ? twins : [];
  return isAway && wanted === '' ? [...itself, ...came.filter((other) => !itself.includes(other))] : itself;
}

/** Of the same make, and the same part of it: nothing but the socket tells one from the other, unless the serial number does. */
export function isTwin({ id, usb }: Plugged, other: Plugged): boolean {
  if (usb === null || other.usb === null || usb.id !== other.usb.id || usb.serial !== other.usb.serial) return false;
  return partOf(id, usb) === partOf(other.id, other.usb);
}
