/** When a maintenance window is open. Pure; what a wall clock shows is asked of the time zone, so that days of 23 and 25 hours are right. */
import { type MaintenanceSchedule, weekdays } from '#protocol/model/maintenance.ts';

const minuteMs = 60_000;
const minutesADay = 1440;
/** The longest weekly window, every day around the clock, ends where the next one begins: a day and the hour of a changed clock. */
const longestMinutes = minutesADay + 61;

/** When the window that is open at this moment ends; null: none is. */
export function openUntilMs(schedule: MaintenanceSchedule, nowMs: number): number | null {
  if (schedule.kind === 'once') {
    const [fromMs, toMs] = [Date.parse(schedule.from), Date.parse(schedule.to)];
    return nowMs >= fromMs && nowMs < toMs ? toMs : null;
  }
  const isOpenAt = weeklyCheck(schedule);
  if (!isOpenAt(nowMs)) return null;
  const minute = Math.floor(nowMs / minuteMs) * minuteMs;
  for (let minutes = 1; minutes <= longestMinutes; minutes += 1) {
    const atMs = minute + minutes * minuteMs;
    if (!isOpenAt(atMs)) return atMs;
  }
  // Open around the clock: asked again before that.
  return minute + longestMinutes * minuteMs;
}

type Weekly = Extract<MaintenanceSchedule, { readonly kind: 'weekly' }>;

function weeklyCheck({ days, from, to, timeZone }: Weekly): (atMs: number) => boolean {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const begins = minutesOf(from);
  const ends = minutesOf(to);
  const isNextDay = ends <= begins;
  return (atMs) => {
    const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
    const index = (weekdays as readonly string[]).indexOf(parts['weekday']?.toLowerCase() ?? '');
    const today = weekdays[index];
    const yesterday = weekdays[(index + 6) % 7];
    const minutes = minutesOf(`${parts['hour']}:${parts['minute']}`);
    const isToday = today !== undefined && days.includes(today) && minutes >= begins && (isNextDay || minutes < ends);
    const isFromYesterday = isNextDay && yesterday !== undefined && days.includes(yesterday) && minutes < ends;
    return isToday || isFromYesterday;
  };
}

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Whether it can never be open again. */
export function isOver(schedule: MaintenanceSchedule, nowMs: number): boolean {
  return schedule.kind === 'once' && Date.parse(schedule.to) <= nowMs;
}
