/** How old a preview may be. Pure. */

/** Three times the preview interval that devices have by default. */
const oldMs = 15_000;

export function isOldPicture(atMs: number, nowMs: number): boolean {
  return nowMs - atMs > oldMs;
}
