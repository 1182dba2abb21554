/** Where a device stands with its settings, from revisions alone: pure. */
import { timestamp } from '#fleet-server/clock.ts';
import type { SettingRefusal } from '#protocol/messages.ts';
import type { SettingsState } from '#protocol/model/device.ts';

export type RevisionFacts = {
  readonly desiredRevision: number;
  readonly appliedRevision: number;
  readonly outcomeRevision: number;
  readonly outcome: string | null;
  readonly refusals: readonly SettingRefusal[];
  readonly driftedSinceMs: number | null;
  readonly driftedKeys: string;
};

/** Of a device in the store: all that its state is drawn from. */
export const settingsStateColumns = [
  'desiredRevision',
  'appliedRevision',
  'outcomeRevision',
  'outcome',
  'refusals',
  'driftedSinceMs',
  'driftedKeys',
] as const;

export function settingsState(facts: RevisionFacts): SettingsState {
  const { desiredRevision, appliedRevision } = facts;
  const base = { desiredRevision, appliedRevision, driftedSince: null };
  if (isRefused(facts)) return { ...base, kind: 'refused', reason: refusalWords(facts) };
  if (facts.driftedSinceMs !== null) {
    const reason = `It reports other settings: ${facts.driftedKeys}`.slice(0, 500);
    return { ...base, kind: 'drifted', driftedSince: timestamp(facts.driftedSinceMs), reason };
  }
  return { ...base, kind: appliedRevision === desiredRevision ? 'applied' : 'pending', reason: null };
}

/** What is desired of it at this moment. */
export function isRefused({ desiredRevision, appliedRevision, outcomeRevision, outcome }: RevisionFacts): boolean {
  if (appliedRevision === desiredRevision || outcomeRevision !== desiredRevision) return false;
  return outcome === 'refused' || outcome === 'rolled-back';
}

export function refusalWords(facts: Pick<RevisionFacts, 'outcome' | 'refusals'>): string {
  // A device's reason may name its key already.
  const reasons = facts.refusals.map(({ key, reason }) => (reason.startsWith(key) ? reason : `${key}: ${reason}`)).join('; ');
  const fallback =
    facts.outcome === 'refused' ? 'The device refused it.' : 'The pipeline did not run with it; the last good settings are back.';
  return (reasons === '' ? fallback : reasons).slice(0, 500);
}

/** Of nearly every device there are none. */
export function parseRefusals(text: string): readonly SettingRefusal[] {
  return text === '[]' ? [] : (JSON.parse(text) as SettingRefusal[]);
}
