/** A maintenance window as it is typed, and as the server takes it. Pure. */
import { type MaintenanceRequest, type MaintenanceWindow, type Weekday, weekdays } from '#protocol/model/maintenance.ts';

export type MaintenanceDraft = {
  readonly scope: 'fleet' | 'group' | 'device';
  readonly group: string;
  readonly deviceId: string;
  readonly reason: string;
  readonly kind: 'once' | 'weekly';
  /** The reader's own wall clock, as YYYY-MM-DDTHH:MM. */
  readonly onceFrom: string;
  readonly onceTo: string;
  readonly days: readonly Weekday[];
  /** Wall clock of the time zone, as HH:MM. */
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
};
export type MaintenanceField = 'group' | 'deviceId' | 'reason' | 'onceTo' | 'days' | 'from' | 'timeZone';

const hourMs = 3_600_000;
const longestOnceMs = 31 * 24 * hourMs;
export const maxReasonLength = 200;

/** From now on, for two hours. */
export function newDraft(
  nowMs: number,
  timeZone: string,
  scope: Partial<Pick<MaintenanceDraft, 'scope' | 'group' | 'deviceId'>>,
): MaintenanceDraft {
  return {
    scope: 'fleet',
    group: '',
    deviceId: '',
    reason: '',
    kind: 'once',
    onceFrom: wallClock(nowMs),
    onceTo: wallClock(nowMs + 2 * hourMs),
    days: [],
    from: '02:00',
    to: '04:00',
    timeZone,
    ...scope,
  };
}

export function draftOf({ scope, schedule, reason }: MaintenanceWindow, nowMs: number, timeZone: string): MaintenanceDraft {
  const draft = newDraft(nowMs, timeZone, {
    scope: scope.kind,
    ...(scope.kind === 'group' ? { group: scope.name } : {}),
    ...(scope.kind === 'device' ? { deviceId: scope.id } : {}),
  });
  if (schedule.kind === 'weekly') return { ...draft, ...schedule, reason };
  return { ...draft, reason, onceFrom: wallClock(Date.parse(schedule.from)), onceTo: wallClock(Date.parse(schedule.to)) };
}

export function problemsOf(draft: MaintenanceDraft, nowMs: number): { readonly [Field in MaintenanceField]?: string } {
  const problems: { [Field in MaintenanceField]?: string } = {};
  if (draft.scope === 'group' && draft.group === '') problems.group = 'Which group?';
  if (draft.scope === 'device' && draft.deviceId === '') problems.deviceId = 'Which device?';
  if (draft.reason.trim() === '') problems.reason = 'A few words for the others.';
  if (draft.kind === 'once') {
    const [fromMs, toMs] = [momentOf(draft.onceFrom), momentOf(draft.onceTo)];
    if (fromMs === null || toMs === null || toMs <= fromMs) problems.onceTo = 'An end after the beginning.';
    else if (toMs - fromMs > longestOnceMs) problems.onceTo = 'At most 31 days after the beginning.';
    else if (toMs <= nowMs) problems.onceTo = 'An end that is still to come.';
  } else {
    if (draft.days.length === 0) problems.days = 'At least one day.';
    if (draft.from === '' || draft.to === '') problems.from = 'Two times of day.';
    if (!isTimeZone(draft.timeZone)) problems.timeZone = 'A time zone such as Europe/Berlin.';
  }
  return problems;
}

/** Of a draft without problems. */
export function requestOf(draft: MaintenanceDraft): MaintenanceRequest {
  return { scope: scopeOf(draft), schedule: scheduleOf(draft), reason: draft.reason.trim() };
}

function scopeOf({ scope, group, deviceId }: MaintenanceDraft): MaintenanceRequest['scope'] {
  if (scope === 'fleet') return { kind: 'fleet' };
  return scope === 'group' ? { kind: 'group', name: group } : { kind: 'device', id: deviceId };
}

function scheduleOf({ kind, onceFrom, onceTo, days, from, to, timeZone }: MaintenanceDraft): MaintenanceRequest['schedule'] {
  if (kind === 'once') return { kind, from: new Date(onceFrom).toISOString(), to: new Date(onceTo).toISOString() };
  return { kind, days: weekdays.filter((day) => days.includes(day)), from, to, timeZone };
}

/** As the browser's field for a day and a time has it. */
export function wallClock(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

function momentOf(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name !== '';
  } catch {
    return false;
  }
}
