/** Maintenance windows in plain words, and which of them cover a device. Pure. */
import type { MaintenanceSchedule, MaintenanceScope, MaintenanceWindow, Weekday } from '#protocol/model/maintenance.ts';
import { dayWords } from '../time/words.ts';

export const dayNames: { readonly [Day in Weekday]: string } = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};

/** A device has the name that is known, else its id. */
export function scopeWords(scope: MaintenanceScope, nameOf: (deviceId: string) => string | null): string {
  if (scope.kind === 'fleet') return 'The whole fleet';
  return scope.kind === 'group' ? `Group ${scope.name}` : (nameOf(scope.id) ?? scope.id);
}

export function scheduleWords(schedule: MaintenanceSchedule): string {
  if (schedule.kind === 'once') return `${dayWords(schedule.from)} to ${dayWords(schedule.to)}`;
  const { days, from, to, timeZone } = schedule;
  const when = days.length === 7 ? 'Every day' : `Every ${days.map((day) => dayNames[day]).join(', ')}`;
  return `${when}, ${from} to ${to}${to <= from ? ' on the next day' : ''} (${timeZone})`;
}

export type WindowPhase = 'open' | 'to-come' | 'over';

export function phaseOf({ openUntil, schedule }: MaintenanceWindow, nowMs: number): WindowPhase {
  if (openUntil !== null) return 'open';
  return schedule.kind === 'once' && Date.parse(schedule.to) <= nowMs ? 'over' : 'to-come';
}

const phases: readonly WindowPhase[] = ['open', 'to-come', 'over'];

/** Those that are open first, those that are over last. */
export function inOrder(windows: readonly MaintenanceWindow[], nowMs: number): readonly MaintenanceWindow[] {
  return windows.toSorted((a, b) => phases.indexOf(phaseOf(a, nowMs)) - phases.indexOf(phaseOf(b, nowMs)));
}

/** Open or to come, of the fleet, of the group, or (where it is one) of the device. */
export function covering(
  windows: readonly MaintenanceWindow[],
  whom: { readonly deviceId: string | null; readonly group: string | null },
  nowMs: number,
): readonly MaintenanceWindow[] {
  const isAbout = ({ scope }: MaintenanceWindow): boolean => {
    if (scope.kind === 'fleet') return true;
    return scope.kind === 'group' ? scope.name === whom.group : scope.id === whom.deviceId;
  };
  return inOrder(
    windows.filter((window) => isAbout(window) && phaseOf(window, nowMs) !== 'over'),
    nowMs,
  );
}
