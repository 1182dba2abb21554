/** How much of a disk is not for recordings. Pure; shared by whoever writes (and pauses) and whoever deletes (and so prevents it). */

const leastFreeBytes = 500_000_000;
const mostHeadroomBytes = 256_000_000;

export type DiskRoom = { readonly totalBytes: number; readonly freeBytes: number };

/** A twentieth, and at least 500 MB, of which a small disk gives an eighth: the system on it has to go on working. */
export function reservedBytes(totalBytes: number): number {
  return Math.max(totalBytes / 20, Math.min(leastFreeBytes, totalBytes / 8));
}

/** Room is made while this much is still there beyond the reserve, so that the writer never has to wait for it. */
export function headroomBytes(totalBytes: number): number {
  return Math.min(mostHeadroomBytes, reservedBytes(totalBytes) / 2);
}

export function mayRecord({ totalBytes, freeBytes }: DiskRoom): boolean {
  return freeBytes > reservedBytes(totalBytes);
}

/** Some way above the bound at which it paused, so that it does not begin for a second at a time. */
export function mayResume({ totalBytes, freeBytes }: DiskRoom): boolean {
  return freeBytes > reservedBytes(totalBytes) + headroomBytes(totalBytes) / 4;
}
