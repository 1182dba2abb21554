/** A roll-out in words. Pure. */
import type { Rollout, RolloutDetail, RolloutDeviceKind, RolloutKind, RolloutPlan, RolloutWave } from '#protocol/model/rollout.ts';

export const rolloutWords: { readonly [Kind in RolloutKind]: { readonly title: string; readonly color: string } } = {
  running: { title: 'Under way', color: 'indigo' },
  halted: { title: 'Halted', color: 'orange' },
  completed: { title: 'Completed', color: 'teal' },
  'rolled-back': { title: 'Rolled back', color: 'gray' },
};

export const rolloutDeviceWords: { readonly [Kind in RolloutDeviceKind]: { readonly title: string; readonly color: string } } = {
  waiting: { title: 'Waits for its wave', color: 'gray' },
  absent: { title: 'Offline: gets it when it is back', color: 'gray' },
  sent: { title: 'Has to confirm it', color: 'indigo' },
  soaking: { title: 'Has it, watched', color: 'indigo' },
  troubled: { title: 'In trouble', color: 'orange' },
  steady: { title: 'Has it and is well', color: 'teal' },
  failed: { title: 'Failed', color: 'red' },
  excused: { title: 'Failed, went on', color: 'orange' },
  left: { title: 'No longer here', color: 'gray' },
};

export function scopeWords({ scope }: Pick<Rollout, 'scope'>): string {
  return scope.kind === 'fleet' ? 'the whole fleet' : `group ${scope.name}`;
}

export function waveTitle(index: number, count: number, plan: RolloutPlan): string {
  if (plan.kind === 'all-at-once') return 'All devices';
  if (index === 0 && plan.canary !== 0) return 'Canary';
  return index === count - 1 ? 'The rest' : `Wave ${index + 1}`;
}

/** How many devices of a large roll-out the page leaves out. */
export function leftOutWords({ deviceCounts, devices }: Pick<RolloutDetail, 'deviceCounts' | 'devices'>): string | null {
  const sum = deviceCounts.reduce((total, { count }) => total + count, 0);
  if (sum <= devices.length) return null;
  return `Shown are ${devices.length} of ${sum} devices: those that failed or are in trouble first, then wave by wave.`;
}

/** What is asked before it is done. */
export function rollBackWords({ waves, scope, state }: Pick<Rollout, 'waves' | 'scope' | 'state'>): string {
  const reached = waves.reduce((sum, { steadyCount, underWayCount, failedCount }) => sum + steadyCount + underWayCount + failedCount, 0);
  const whose = `${reached} ${reached === 1 ? 'device of' : 'devices of'} ${scopeWords({ scope })}`;
  const rest = state === 'completed' ? 'It becomes a revision of its own.' : 'The others never get it.';
  return `What was set before is set again on the ${whose} that this change has reached. ${rest}`;
}

/** What is asked when its settings were changed since. */
export function overrideWords(problems: readonly { readonly key: string; readonly came: string }[]): string {
  const changes = problems.map(({ key, came }) => `${key} (${came})`).join(', ');
  return `What this roll-out set was changed since it ended: ${changes}. What was set before the roll-out would be set again, and those changes would be lost.`;
}

/** Shares of a wave in percent, for a bar. */
export function waveShares({ deviceCount, steadyCount, underWayCount, absentCount, failedCount }: RolloutWave): {
  readonly [K in 'steady' | 'underWay' | 'absent' | 'failed']: number;
} {
  const share = (count: number): number => (deviceCount === 0 ? 0 : (count * 100) / deviceCount);
  return { steady: share(steadyCount), underWay: share(underWayCount), absent: share(absentCount), failed: share(failedCount) };
}

export function planWords(plan: RolloutPlan): string {
  if (plan.kind === 'all-at-once') return 'All devices at once.';
  const canary = typeof plan.canary === 'number' ? plan.canary : plan.canary.length;
  const first = canary === 0 ? '' : `${canary} ${canary === 1 ? 'canary' : 'canaries'}, then `;
  const soak = plan.soakS >= 60 ? `${Math.round(plan.soakS / 60)} min` : `${plan.soakS} s`;
  return `${first}${plan.shares.join(', ')} % of the devices; each must be well for ${soak}; halts when more than ${plan.failureThresholdPercent} % fail.`;
}
