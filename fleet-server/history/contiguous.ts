/** The highest number up to which none is missing, given that all up to `base` are there and `above` is sorted. */
export function contiguousUpTo(base: number, above: readonly number[]): number {
  let upTo = base;
  for (const number of above) {
    if (number !== upTo + 1) break;
    upTo = number;
  }
  return upTo;
}
