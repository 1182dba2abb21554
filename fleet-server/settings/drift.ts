/**
 * A device that reports other settings than those that it confirmed: whether it does, and when it is sent them again. Pure.
 *
 * INVARIANT: it is mended at most `maxRepairs` times in a row and once in `repairPauseMs`; after that it is only shown.
 */
import type { LastingReport } from '#fleet-server/devices/kept-report.ts';
import type { DeviceLevels } from '#fleet-server/settings/level-values.ts';
import { desiredSetting } from '#fleet-server/settings/provenance.ts';
import { isRefused, type RevisionFacts } from '#fleet-server/settings/settings-state.ts';
import { settingKeys } from '#protocol/settings.ts';

export const maxRepairs = 3;
export const repairPauseMs = 60_000;

export type DriftMemory = {
  readonly driftedSinceMs: number | null;
  /** What is other than desired, with spaces between. */
  readonly driftedKeys: string;
  /** Of this drift, and the time of the last one of any. */
  readonly driftRepairs: number;
  readonly driftRepairAtMs: number | null;
};

/**
 * Keys that are other than desired; `revision` when it holds an older one than it confirmed. `refused`: it does not take what is desired, and
 * need not have it. Null: nobody can tell at this moment.
 */
export function driftedKeys(revision: RevisionFacts, levels: DeviceLevels, report: LastingReport): readonly string[] | 'refused' | null {
  const { desiredRevision, outcomeRevision, outcome } = revision;
  if (isRefused({ ...revision, appliedRevision: report.appliedRevision })) return 'refused';
  if (report.appliedRevision !== desiredRevision) {
    const hasGoneBack = outcome === 'applied' && outcomeRevision === desiredRevision && report.appliedRevision < desiredRevision;
    return hasGoneBack ? ['revision'] : null;
  }
  return settingKeys.filter((key) => {
    const reported = report.settings[key];
    // An older agent does not know every key.
    if (reported === undefined) return false;
    const { set, level } = desiredSetting(key, levels, report);
    if (set === undefined) return reported.level === 'fleet' || reported.level === 'group' || reported.level === 'device';
    return reported.level !== level || (reported.isSecret !== true && reported.value !== set.value);
  });
}

export type DriftStep = {
  readonly memory: DriftMemory;
  readonly event: 'begun' | 'mended' | 'refused' | 'given-up' | null;
  readonly isRepair: boolean;
};

export function driftAfter(memory: DriftMemory, keys: readonly string[] | 'refused', nowMs: number): DriftStep {
  if (keys === 'refused' || keys.length === 0) {
    const isOver = memory.driftedSinceMs !== null;
    return {
      memory: { ...memory, driftedSinceMs: null, driftedKeys: '', driftRepairs: 0 },
      event: !isOver ? null : keys === 'refused' ? 'refused' : 'mended',
      isRepair: false,
    };
  }
  const known = { ...memory, driftedSinceMs: memory.driftedSinceMs ?? nowMs, driftedKeys: keys.join(' ') };
  const begun = memory.driftedSinceMs === null ? 'begun' : null;
  const { driftRepairAtMs } = memory;
  // A clock that was set back holds nothing up.
  const isDue = driftRepairAtMs === null || driftRepairAtMs > nowMs || nowMs - driftRepairAtMs >= repairPauseMs;
  if (!isDue || memory.driftRepairs > maxRepairs) return { memory: known, event: begun, isRepair: false };
  const next = { ...known, driftRepairs: memory.driftRepairs + 1, driftRepairAtMs: nowMs };
  // One more than there are repairs: that it was given up is said once.
  if (memory.driftRepairs === maxRepairs)
    return { memory: { ...next, driftRepairAtMs: memory.driftRepairAtMs }, event: 'given-up', isRepair: false };
  return { memory: next, event: begun, isRepair: true };
}

export const driftWords = {
  begun: (keys: string) => `It reports other settings than those that it confirmed (${keys}); they are sent again.`,
  mended: () => 'It reports the settings again that it should have.',
  refused: (reason: string) => `It refuses the settings that were sent again: ${reason}`,
  'given-up': (keys: string) => `It still reports other settings (${keys}) after they were sent again ${maxRepairs} times.`,
} as const;
