/**
 * The text of a schedule: `Mo-Fr 09:00-17:30; Sa 10:00-12:00`. Rules are parted by `;`, each a list of days or of ranges of days
 * (none means every day) and a list of times. An end that is not after its start is on the next day; 24:00 is the day's end.
 */

export type ScheduleRule = {
  /** 0 is Monday, 6 Sunday. */
  readonly days: readonly number[];
  readonly spans: readonly ScheduleSpan[];
};

/** Minutes of the clock since the day's midnight; an end beyond 1440 is on the day after. */
export type ScheduleSpan = { readonly startMinute: number; readonly endMinute: number };

export const scheduleExpected = 'days and times such as Mo-Fr 09:00-17:30; Sa 10:00-12:00';
export const maxScheduleRules = 32;

const dayNames: readonly string[] = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'];
const longNames: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const minutesADay = 1440;

/** Null when it is none. */
export function parseSchedule(text: string): readonly ScheduleRule[] | null {
  const parts = text.split(';').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  if (parts.length === 0 || parts.length > maxScheduleRules) return null;
  const rules = parts.map(parseRule);
  return rules.every((rule) => rule !== null) ? rules : null;
}

function parseRule(text: string): ScheduleRule | null {
  const match = /^(?:([A-Za-z][A-Za-z ,-]*?)\s+)?(\d[\d:, -]*)$/.exec(text);
  if (match === null) return null;
  const days = match[1] === undefined ? dayNames.map((_, day) => day) : parseDays(match[1]);
  const spans = (match[2] ?? '').split(',').map((span) => parseSpan(span.trim()));
  return days !== null && spans.every((span) => span !== null) ? { days, spans } : null;
}

function parseDays(text: string): readonly number[] | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const ends = part.split('-').map((name) => dayOf(name.trim()));
    const first = ends[0] ?? -1;
    const last = ends.at(-1) ?? -1;
    if (ends.length > 2 || first < 0 || last < 0) return null;
    // Fr-Mo goes over the week's end.
    for (let step = 0; step <= (last - first + 7) % 7; step += 1) days.add((first + step) % 7);
  }
  return [...days].sort();
}

function dayOf(name: string): number {
  const wanted = name.toLowerCase();
  return Math.max(dayNames.indexOf(wanted), longNames.indexOf(wanted));
}

function parseSpan(text: string): ScheduleSpan | null {
  const match = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text);
  if (match === null) return null;
  const startMinute = minuteOf(match[1], match[2]);
  const endMinute = minuteOf(match[3], match[4]);
  if (startMinute === null || endMinute === null || startMinute === minutesADay || startMinute === endMinute) return null;
  return { startMinute, endMinute: endMinute > startMinute ? endMinute : endMinute + minutesADay };
}

function minuteOf(hours: string | undefined, minutes: string | undefined): number | null {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= minutesADay ? minute : null;
}

/** Whether this machine knows the IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // RangeError: the only thing that the constructor has to say about a zone.
    return false;
  }
}
