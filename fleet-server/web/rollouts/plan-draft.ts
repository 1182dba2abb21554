/** From what was typed about a roll-out to its plan. Pure. */
import type { RolloutPlan } from '#protocol/model/rollout.ts';

export type NamedDevice = { readonly id: string; readonly name: string };

export type PlanDraft = {
  readonly canary: 'count' | 'devices';
  readonly canaryCount: number | string;
  readonly canaryIds: readonly string[];
  /** Percentages with commas between them. */
  readonly shares: string;
  readonly soakMin: number | string;
  readonly thresholdPercent: number | string;
};

export type PlanField = 'canary' | 'shares' | 'soakMin' | 'thresholdPercent';
export type PlanOfDraft =
  | { readonly kind: 'plan'; readonly plan: RolloutPlan }
  | { readonly kind: 'problems'; readonly problems: { readonly [Field in PlanField]?: string } };

export const maxCanaries = 1000;
export const maxShares = 20;
export const maxSoakMin = 1440;

/** Begins at the device that somebody looks at, where they look at one. */
export function newPlanDraft(from: NamedDevice | null): PlanDraft {
  return {
    canary: from === null ? 'count' : 'devices',
    canaryCount: 1,
    canaryIds: from === null ? [] : [from.id],
    shares: '10, 50, 100',
    soakMin: 5,
    thresholdPercent: 10,
  };
}

export function planOfDraft(draft: PlanDraft): PlanOfDraft {
  const count = within(draft.canaryCount, maxCanaries);
  const shares = sharesOf(draft.shares);
  const soakMin = within(draft.soakMin, maxSoakMin);
  const threshold = within(draft.thresholdPercent, 100);
  const canary = draft.canary === 'count' ? count : draft.canaryIds.length === 0 ? null : [...draft.canaryIds];
  if (canary === null || shares === null || soakMin === null || threshold === null) {
    const canaryExpected = draft.canary === 'count' ? `Expected a number from 0 to ${maxCanaries}.` : 'Expected at least one device.';
    return {
      kind: 'problems',
      problems: {
        ...(canary === null ? { canary: canaryExpected } : {}),
        ...(shares === null ? { shares: 'Expected percentages that grow and end with 100, such as 10, 50, 100.' } : {}),
        ...(soakMin === null ? { soakMin: `Expected minutes from 0 to ${maxSoakMin}.` } : {}),
        ...(threshold === null ? { thresholdPercent: 'Expected a number from 0 to 100.' } : {}),
      },
    };
  }
  return { kind: 'plan', plan: { kind: 'waves', canary, shares, soakS: soakMin * 60, failureThresholdPercent: threshold } };
}

function within(value: number | string, maximum: number): number | null {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  return Number.isInteger(number) && number >= 0 && number <= maximum ? number : null;
}

function sharesOf(text: string): number[] | null {
  const parts = text.split(/[\s,;%]+/).filter((part) => part !== '');
  const shares = parts.map(Number);
  const isGrowing = shares.every((share, index) => Number.isInteger(share) && share > (shares[index - 1] ?? 0));
  return isGrowing && shares.at(-1) === 100 && shares.length <= maxShares ? shares : null;
}
