/** Which device needs somebody most. Pure. */
import { type Condition, conditionDefinitions, isConditionCode, isExplained } from '#protocol/conditions.ts';
import type { StreamState } from '#protocol/model/device.ts';

const ofStream: { readonly [Kind in StreamState['kind']]: number } = {
  failed: 0,
  'no-signal': 0,
  'not-arriving': 1,
  offline: 2,
  unknown: 4,
  starting: 5,
  elsewhere: 7,
  stopped: 8,
  live: 9,
};
const ofSeverity = { critical: 3, warning: 6, info: 9 } as const;
/** Somebody has shut it out: that it is offline is meant, and needs nobody. */
const ofBlocked = ofStream.stopped;
/** Its settings were refused, or it reports others. */
export const ofSettingsTrouble = 6;

/** By its stream and its conditions; a lower number is worse. */
export function urgency(stream: StreamState['kind'], conditions: readonly Condition[]): number {
  if (conditions.some(({ code }) => code === 'blocked')) return ofBlocked;
  let worst = ofStream[stream];
  for (const { code } of conditions) if (!isExplained(code, conditions)) worst = Math.min(worst, urgencyOf(code));
  return worst;
}

/** One that only a newer agent knows is taken for a warning. */
function urgencyOf(code: string): number {
  return isConditionCode(code) ? ofSeverity[conditionDefinitions[code].severity] : ofSeverity.warning;
}
