/** What the machine itself says of its clock. */
import { access, readdir, readFile } from 'node:fs/promises';
import { runProgram } from '#device/detect/local-machine.ts';
import type { RunTool } from '#device/health/power.ts';
import { isClockSet } from '#device/schedule/outlets.ts';

export type MachineClockOptions = {
  readonly nowMs: () => number;
  /** Other roots and another tool are for tests. */
  readonly sys?: string;
  readonly systemd?: string;
  readonly run?: RunTool;
};

const toolTimeoutMs = 5000;
/** Further apart they are not of one setting: the kernel sets its clock by the other at the start of the machine. */
const sameTimeMs = 5000;
const halfSecondMs = 500;

/**
 * True: it comes from a time server, or a real-time clock shows the same. False: systemd knows of no time server that has answered.
 * Null: nobody here can tell. A real-time clock without a battery begins with 1970 (Raspberry Pi 5), and says no more than none.
 */
export async function askMachineClock(options: MachineClockOptions): Promise<boolean | null> {
  const { nowMs, sys = '/sys', systemd = '/run/systemd', run = runProgram } = options;
  // systemd-timesyncd.service(8): the file stands there from the first answer of a time server on until the machine is switched off.
  if (await exists(`${systemd}/timesync/synchronized`)) return true;
  const times = await readRealTimeClocks(sys);
  if (times.some((timeMs) => isClockSet(timeMs) && Math.abs(timeMs - nowMs()) <= sameTimeMs)) return true;
  const isSynchronised = await askSynchronised(run);
  if (isSynchronised !== null) return isSynchronised;
  return (await exists(`${systemd}/timesync`)) ? false : null;
}

/** systemd's word; null where there is no systemd. */
export async function askSynchronised(run: RunTool): Promise<boolean | null> {
  const outcome = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], toolTimeoutMs);
  if (outcome.kind === 'failed' || outcome.exitCode !== 0) return null;
  const word = outcome.stdout.trim();
  return word === 'yes' ? true : word === 'no' ? false : null;
}

/** Whole seconds, as the kernel gives them (sysfs-class-rtc). */
async function readRealTimeClocks(sys: string): Promise<readonly number[]> {
  const names = await readdir(`${sys}/class/rtc`).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(`${sys}/class/rtc/${name}/since_epoch`, 'utf8').catch(() => '')));
  return texts.flatMap((text) => (/^\d+\s*$/.test(text) ? [Number(text) * 1000 + halfSecondMs] : []));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
