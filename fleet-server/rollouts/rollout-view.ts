/** A roll-out as the API shows it. Pure. */
import { hiddenSecret, shown } from '#fleet-server/audit/audit-log.ts';
import { timestamp } from '#fleet-server/clock.ts';
import type { WaveCount } from '#fleet-server/rollouts/rollouts-store.ts';
import type { RolloutDeviceState } from '#fleet-server/rollouts/transition.ts';
import { shownAgain } from '#fleet-server/settings/revisions.ts';
import type { RolloutsTable } from '#fleet-server/store/schema.ts';
import type { AuditChange } from '#protocol/model/audit.ts';
import type { Rollout, RolloutDetail, RolloutDeviceKind, RolloutPlan, RolloutWave } from '#protocol/model/rollout.ts';
import type { RevisionChange, ShownValue } from '#protocol/model/settings.ts';

const maxDevices = 1000;
/** What somebody looks for first; the first of it over all waves. */
const urgent: readonly RolloutDeviceKind[] = ['failed', 'troubled'];
const kinds: readonly RolloutDeviceKind[] = [...urgent, 'sent', 'soaking', 'excused', 'absent', 'steady', 'waiting', 'left'];
const order = Object.fromEntries(kinds.map((kind, index) => [kind, index])) as Readonly<Record<RolloutDeviceKind, number>>;

export function shownRollout(row: RolloutsTable, counts: readonly WaveCount[]): Rollout {
  return {
    id: row.id,
    scope: row.level === 'fleet' ? { kind: 'fleet' } : { kind: 'group', name: row.scope },
    changes: changesOf(row),
    plan: JSON.parse(row.plan) as RolloutPlan,
    comment: row.comment,
    state: row.state,
    reason: row.reason,
    wave: row.wave,
    waves: waves(counts.filter(({ rolloutId }) => rolloutId === row.id)),
    createdAt: timestamp(row.createdAtMs),
    createdBy: row.createdBy,
    finishedAt: row.finishedAtMs === null ? null : timestamp(row.finishedAtMs),
    revision: row.revision,
  };
}

export function changesOf(row: Pick<RolloutsTable, 'changes'>): RevisionChange[] {
  return (JSON.parse(row.changes) as RevisionChange[]).map(({ key, before, after }) => ({
    ...{ key, before: shownAgain(key, before), after: shownAgain(key, after) },
  }));
}

/** As the audit log holds them. */
export function auditedChanges(changes: readonly RevisionChange[]): AuditChange[] {
  const text = (value: ShownValue | null) => (value?.kind === 'secret' ? hiddenSecret : shown(value?.value));
  return changes.map(({ key, before, after }) => ({ field: key, before: text(before), after: text(after) }));
}

export function detailOf(
  row: RolloutsTable,
  counts: readonly WaveCount[],
  devices: readonly RolloutDeviceState[],
  nameOf: (id: string) => string | undefined,
): RolloutDetail {
  const named = devices.map((device) => ({ device, name: nameOf(device.id) ?? device.id }));
  named.sort(
    (a, b) =>
      urgency(b.device) - urgency(a.device) ||
      a.device.wave - b.device.wave ||
      order[a.device.kind] - order[b.device.kind] ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const first = named.slice(0, maxDevices).map(({ name, device: { id, wave, kind, sinceMs, reason } }) => ({
    ...{ id, name, wave, state: kind, since: timestamp(sinceMs), reason },
  }));
  const deviceCounts = kinds.flatMap((state) => {
    const count = devices.filter(({ kind }) => kind === state).length;
    return count === 0 ? [] : [{ state, count }];
  });
  return { ...shownRollout(row, counts), deviceCounts, devices: first };
}

function urgency({ kind }: RolloutDeviceState): number {
  return Number(urgent.includes(kind));
}

function waves(counts: readonly WaveCount[]): RolloutWave[] {
  const length = Math.max(-1, ...counts.map(({ wave }) => wave)) + 1;
  return Array.from({ length }, (_, index) => {
    const here = counts.filter(({ wave }) => wave === index);
    const sum = (...kinds: RolloutDeviceKind[]) => here.reduce((total, { state, count }) => total + (kinds.includes(state) ? count : 0), 0);
    return {
      deviceCount: here.reduce((total, { count }) => total + count, 0),
      steadyCount: sum('steady'),
      underWayCount: sum('sent', 'soaking', 'troubled'),
      absentCount: sum('absent'),
      failedCount: sum('failed', 'excused'),
    };
  });
}
