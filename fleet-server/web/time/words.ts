/** Times as people say them. Pure. */

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** "42 s", "12 min", "3 h 20 min", "2 d 4 h". */
export function durationWords(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  if (ms < dayMs) return joined(Math.floor(ms / hourMs), 'h', Math.floor((ms % hourMs) / minuteMs), 'min');
  return joined(Math.floor(ms / dayMs), 'd', Math.floor((ms % dayMs) / hourMs), 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** "just now", "42 s ago", "in 5 s". Up to a second in the future is taken for now: clocks are never quite the same. */
export function relativeWords(atMs: number, nowMs: number): string {
  const age = nowMs - atMs;
  if (age < -secondMs) return `in ${durationWords(Math.ceil(-age / secondMs) * secondMs)}`;
  return age < 2 * secondMs ? 'just now' : `${durationWords(age)} ago`;
}

/** To the second, with the zone of whoever reads. */
export function exactWords(at: string | number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

/** The time of day alone. */
export function clockWords(at: string | number): string {
  return new Date(at).toLocaleTimeString(undefined, { timeStyle: 'medium' });
}

export function dayWords(at: string | number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
