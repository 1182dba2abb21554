/** Quiet hours: when nobody is to be told. Pure. */
import type { QuietHours } from '#protocol/model/alert.ts';

const minuteMs = 60_000;

/** Null when it is not quiet now, else when it ends. Steps of a minute, so that days on which clocks change need no thought. */
export function quietUntilMs(quiet: QuietHours | null, nowMs: number): number | null {
  if (quiet === null || quiet.from === quiet.to) return null;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: quiet.timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const isQuiet = (atMs: number) => {
    const time = format.format(atMs);
    return quiet.from < quiet.to ? time >= quiet.from && time < quiet.to : time >= quiet.from || time < quiet.to;
  };
  if (!isQuiet(nowMs)) return null;
  let atMs = Math.floor(nowMs / minuteMs) * minuteMs + minuteMs;
  // A day has at most 25 hours.
  for (let minutes = 0; minutes < 25 * 60 && isQuiet(atMs); minutes += 1) atMs += minuteMs;
  return atMs;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
