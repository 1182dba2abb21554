/** The machine and its network: disk, clock, names. */
import { lookup } from 'node:dns/promises';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { describeDiskProblem } from '#device/health/board-conditions.ts';
import type { ClockOffset } from '#device/health/fleet-clock.ts';
import { isClockSet } from '#device/schedule/outlets.ts';
import { errorText } from '#device/state/state-directory.ts';

const lowDiskBytes = 500_000_000;
const testBytes = 64 * 1024;
const wrongClockMs = 5000;
const lookupBoundMs = 10_000;

/** Writes, syncs and removes a file. A directory that the agent has yet to make is not made here: it would have the wrong owner. */
export async function checkDisk(stateDirectory: string): Promise<Check> {
  const directory = await nearestExisting(stateDirectory);
  const path = join(directory, `makespacelive-doctor-${process.pid}.tmp`);
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(Buffer.alloc(testBytes, 1));
      await file.sync();
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  } catch (cause) {
    const advice = 'Settings and events cannot be kept. Free space, give this user the directory, or replace a worn card.';
    return fail('disk', `${directory} cannot be written: ${describeDiskProblem(errorText(cause))}`, advice);
  }
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const detail = `${directory} can be written, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  return freeBytes < lowDiskBytes ? warn('disk', detail, 'Free some space: recordings need it.') : pass('disk', detail);
}

async function nearestExisting(path: string): Promise<string> {
  for (let directory = path; directory !== dirname(directory); directory = dirname(directory)) {
    const isThere = await stat(directory).then(
      () => true,
      () => false,
    );
    if (isThere) return directory;
  }
  return '/';
}

export type ClockFacts = {
  readonly nowMs: number;
  /** Against the fleet server's; null: not known. */
  readonly offset: ClockOffset | null;
  /** What the system says of its time server; null: it says nothing. */
  readonly isSynchronised: boolean | null;
};

export function judgeClock({ nowMs, offset, isSynchronised }: ClockFacts): Check {
  const advice = 'Let the device reach a time server (NTP, port 123): schedules and certificates need the time.';
  if (!isClockSet(nowMs)) return fail('clock', `was never set: it says ${new Date(nowMs).toISOString()}`, advice);
  const isWrong = offset !== null && Math.abs(offset.offsetMs) - offset.precisionMs > wrongClockMs;
  const offsetWords =
    offset === null
      ? ''
      : `, ${(Math.abs(offset.offsetMs) / 1000).toFixed(1)} s ${offset.offsetMs > 0 ? 'ahead of' : 'behind'} the fleet server’s (± ${(offset.precisionMs / 1000).toFixed(1)} s)`;
  const words = isSynchronised === null ? 'no word of a time server' : isSynchronised ? 'synchronised' : 'not synchronised';
  if (isWrong) return fail('clock', `${words}${offsetWords}`, advice);
  if (isSynchronised === true || offset !== null) return pass('clock', `${words}${offsetWords}`);
  return warn('clock', `${words}: ${new Date(nowMs).toISOString()}`, advice);
}

/** Each host's name is looked up once; addresses need no looking up. */
export async function checkNames(hosts: readonly string[]): Promise<readonly Check[]> {
  const names = [...new Set(hosts)].filter((host) => isIP(host.replace(/^\[|\]$/g, '')) === 0);
  if (names.length === 0) return [pass('dns', 'every address is a number: no name has to be looked up')];
  return Promise.all(names.map(checkName));
}

async function checkName(name: string): Promise<Check> {
  try {
    const { address } = await bounded(lookup(name));
    return pass('dns', `${name} is ${address}`);
  } catch (cause) {
    const code = errorText(cause);
    if (code === 'ENOTFOUND') return fail('dns', `${name}: no such host`, 'Look for a mistake in the name.');
    return fail('dns', `${name}: no name server answers (${code})`, 'Look at the network: cable, Wi-Fi, its router.');
  }
}

/** The system's resolver knows no end of its own that suits a person who waits. */
async function bounded<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${lookupBoundMs / 1000} s`)), lookupBoundMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
