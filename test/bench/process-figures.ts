/** CPU and memory of a process, as the kernel counts them. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

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

/** What the process takes up now, with its share only of each page that others map, too. Source: proc(5), /proc/pid/smaps. */
export function proportionalBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
}

const pageBytes = 4096;
const entryBytes = 8;
/** Of an entry: the page is in memory; and the low 55 bits, its place there (pagemap, Documentation/admin-guide/mm/pagemap.rst). */
const presentBit = 1n << 63n;
const placeMask = (1n << 55n) - 1n;

/**
 * The memory that these processes take up now, in bytes: each page once, however many of them map it. Two of them run the same Node, whose
 * text is in memory once. Null without root's rights, to whom alone the kernel tells where a page is.
 */
export function memoryTogetherBytes(pids: readonly number[]): number | null {
  const places = new Set<bigint>();
  for (const pid of pids) {
    for (const place of pagesInMemory(pid)) {
      if (place === 0n) return null;
      places.add(place);
    }
  }
  return places.size * pageBytes;
}

function* pagesInMemory(pid: number): Generator<bigint> {
  const file = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const [, from = '', to = ''] of readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) [rwx-]*[rwx]/gm)) {
      // What the kernel itself maps into every process is nobody's.
      if (from.startsWith('ffff')) continue;
      const first = Number.parseInt(from, 16) / pageBytes;
      const entries = Buffer.alloc((Number.parseInt(to, 16) / pageBytes - first) * entryBytes);
      const bytes = readSync(file, entries, 0, entries.length, first * entryBytes);
      for (let at = 0; at < bytes; at += entryBytes) {
        const entry = entries.readBigUInt64LE(at);
        if ((entry & presentBit) !== 0n) yield entry & placeMask;
      }
    }
  } finally {
    closeSync(file);
  }
}
