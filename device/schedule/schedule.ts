/**
 * Whether a schedule is on at a moment, and when that changes next. Pure.
 *
 * INVARIANTS
 * - Spans are instants before they are compared: an hour that comes twice in autumn neither stops nor repeats a span.
 * - Of a time that comes twice a start is its first and an end its last; a time that a spring day skips is the moment of the jump.
 */
import { parseSchedule, type ScheduleRule } from '#protocol/schedule.ts';

export type ScheduleState = {
  readonly isOn: boolean;
  /** Ms since 1970; null: never. */
  readonly changesAtMs: number | null;
};

export const alwaysOn: ScheduleState = { isOn: true, changesAtMs: null };

type Interval = { readonly startMs: number; readonly endMs: number };

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A week ahead shows every weekday, with a day to spare on either side for spans over midnight. */
const daysBehind = 2;
const daysAhead = 8;

/** `zone`: an IANA name; null is the machine's own. Text that is no schedule counts as none: it was refused long before. */
export function scheduleState(text: string | null, nowMs: number, zone: string | null): ScheduleState {
  const rules = text === null ? null : parseSchedule(text);
  if (rules === null) return alwaysOn;
  const intervals = merged(intervalsAround(rules, nowMs, new LocalTime(zone)));
  const current = intervals.find(({ startMs, endMs }) => startMs <= nowMs && nowMs < endMs);
  if (current === undefined) {
    return { isOn: false, changesAtMs: intervals.find(({ startMs }) => startMs > nowMs)?.startMs ?? null };
  }
  const isWithoutEnd = current.endMs - nowMs > (daysAhead - 1) * dayMs;
  return { isOn: true, changesAtMs: isWithoutEnd ? null : current.endMs };
}

function intervalsAround(rules: readonly ScheduleRule[], nowMs: number, time: LocalTime): Interval[] {
  const today = Math.floor((nowMs + time.offsetMs(nowMs)) / dayMs);
  const intervals: Interval[] = [];
  for (let day = today - daysBehind; day <= today + daysAhead; day += 1) {
    // 1 January 1970 was a Thursday.
    const weekday = (((day + 3) % 7) + 7) % 7;
    for (const { days, spans } of rules) {
      if (!days.includes(weekday)) continue;
      for (const { startMinute, endMinute } of spans) {
        const startMs = time.instants(day * dayMs + startMinute * minuteMs).firstMs;
        const endMs = time.instants(day * dayMs + endMinute * minuteMs).lastMs;
        if (endMs > startMs) intervals.push({ startMs, endMs });
      }
    }
  }
  return intervals;
}

/** In order, and without seams: two spans that touch are one. */
function merged(intervals: readonly Interval[]): readonly Interval[] {
  const result: Interval[] = [];
  for (const next of intervals.toSorted((one, other) => one.startMs - other.startMs)) {
    const last = result.at(-1);
    if (last === undefined || next.startMs > last.endMs) result.push(next);
    else if (next.endMs > last.endMs) result[result.length - 1] = { startMs: last.startMs, endMs: next.endMs };
  }
  return result;
}

/** From the clock on the wall to instants, in one zone. "Local" is what the wall shows, as if it were UTC. */
class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string | null) {
    this.#format = formatFor(zone);
  }

  /** How far the wall is ahead of UTC. */
  offsetMs(instantMs: number): number {
    const parts = Object.fromEntries(this.#format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000;
  }

  instants(localMs: number): { readonly firstMs: number; readonly lastMs: number } {
    const before = this.offsetMs(localMs - dayMs);
    const after = this.offsetMs(localMs + dayMs);
    const early = localMs - Math.max(before, after);
    const late = localMs - Math.min(before, after);
    if (before === after) return { firstMs: early, lastMs: early };
    const fits = [early, late].filter((instantMs) => instantMs + this.offsetMs(instantMs) === localMs);
    const firstMs = fits[0] ?? this.#jumpBetween(early, late);
    return { firstMs, lastMs: fits.at(-1) ?? firstMs };
  }

  /** The moment at which the offset changes, to the second. */
  #jumpBetween(fromMs: number, toMs: number): number {
    const target = this.offsetMs(toMs);
    let low = fromMs;
    let high = toMs;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (this.offsetMs(middle) === target) high = middle;
      else low = middle;
    }
    return high;
  }
}

/** One formatter a zone: making one takes longer than all its answers. At most a few zones are ever asked for. */
const formats = new Map<string, Intl.DateTimeFormat>();
const maxFormats = 4;

function formatFor(zone: string | null): Intl.DateTimeFormat {
  const key = zone ?? '';
  const known = formats.get(key);
  if (known !== undefined) return known;
  if (formats.size >= maxFormats) formats.clear();
  const format = new Intl.DateTimeFormat('en-US', {
    ...(zone === null ? {} : { timeZone: zone }),
    hourCycle: 'h23',
    calendar: 'gregory',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(key, format);
  return format;
}
