/** Which device is in which wave of a roll-out. Pure. */
import { FleetError } from '#fleet-server/errors.ts';
import type { RolloutPlan } from '#protocol/model/rollout.ts';

export type Candidate = { readonly id: string; readonly name: string; readonly isOnline: boolean; readonly isOnAir: boolean };

/** Ids by wave; a wave without devices is none. */
export function planWaves(plan: RolloutPlan, candidates: readonly Candidate[]): readonly (readonly string[])[] {
  // A canary that is not there proves nothing: those on air come first.
  const ordered = candidates.toSorted(
    (a, b) =>
      Number(b.isOnAir) - Number(a.isOnAir) ||
      Number(b.isOnline) - Number(a.isOnline) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1),
  );
  const ids = ordered.map(({ id }) => id);
  if (plan.kind === 'all-at-once') return [ids];
  checkShares(plan.shares);
  const canaries = typeof plan.canary === 'number' ? ids.slice(0, plan.canary) : chosen(plan.canary, ids);
  const first = new Set(canaries);
  const rest = ids.filter((id) => !first.has(id));
  const waves = [canaries];
  let given = canaries.length;
  for (const share of plan.shares) {
    const upTo = Math.max(given, Math.ceil((ids.length * share) / 100));
    waves.push(rest.slice(given - canaries.length, upTo - canaries.length));
    given = upTo;
  }
  return waves.filter((wave) => wave.length > 0);
}

function chosen(wanted: readonly string[], ids: readonly string[]): readonly string[] {
  const known = new Set(ids);
  const unknown = wanted.find((id) => !known.has(id));
  if (unknown === undefined) return [...new Set(wanted)];
  throw wrong('plan/canary', 'devices that the roll-out is for', JSON.stringify(unknown));
}

function checkShares(shares: readonly number[]): void {
  const isGrowing = shares.every((share, index) => index === 0 || share > (shares[index - 1] ?? 0));
  if (!isGrowing || shares.at(-1) !== 100) throw wrong('plan/shares', 'numbers that grow and end with 100', JSON.stringify(shares));
}

function wrong(key: string, expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected in ${key} ${expected}, got ${came}.`, { problems: [{ key, expected, came }] });
}
