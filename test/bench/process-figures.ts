/** CPU and memory of a process, as the kernel counts them. */
import { readFileSync } from 'node:fs';

/** Kernel ticks a second: fixed at 100 for user space on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** User and system time of the process so far, in seconds. Source: proc(5), /proc/pid/stat, fields 14 and 15. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in parentheses that may hold spaces: count from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The largest resident set so far, in bytes. */
export function peakRssBytes(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/**
 * The resident set now, in bytes, in which a page that several processes map counts as a share for each (PSS): the text of Node
 * is in memory once, however many processes run it.
 */
export function sharedOutBytes(pid: number): number {
  const line = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1]) * 1024;
}
