/** Of one device: how many of the events that it said, numbered from 1, are not stored, and how often one is stored again. */
export function eventFaults(said: number, stored: readonly number[]): { readonly lost: number; readonly doubled: number } {
  const distinct = new Set(stored);
  let lost = 0;
  for (let number = 1; number <= said; number += 1) if (!distinct.has(number)) lost += 1;
  return { lost, doubled: stored.length - distinct.size };
}
