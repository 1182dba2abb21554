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
  const driftedSince = facts.driftedSinceMs === null ? null : timestamp(facts.driftedSinceMs);
  const base = { desiredRevision, appliedRevision, driftedSince };
  if (driftedSince !== null) return { ...base, kind: 'drifted', reason: `It reports other settings: ${facts.driftedKeys}`.slice(0, 500) };
  if (appliedRevision === desiredRevision) return { ...base, kind: 'applied', reason: null };
  const isRefused = facts.outcomeRevision === desiredRevision && (facts.outcome === 'refused' || facts.outcome === 'rolled-back');
  if (!isRefused) return { ...base, kind: 'pending', reason: null };
  // A device's reason may name its key already.
  const reasons = facts.refusals.map(({ key, reason }) => (reason.startsWith(key) ? reason : `${key}: ${reason}`)).join('; ');
  const fallback =
    facts.outcome === 'refused' ? 'The device refused it.' : 'The pipeline did not run with it; the last good settings are back.';
  return { ...base, kind: 'refused', reason: (reasons === '' ? fallback : reasons).slice(0, 500) };
}

/** Of nearly every device there are none. */
export function parseRefusals(text: string): readonly SettingRefusal[] {
  return text === '[]' ? [] : (JSON.parse(text) as SettingRefusal[]);
}
