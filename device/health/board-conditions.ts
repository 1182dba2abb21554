/** What is wrong with the board, from its sample. Pure. */
import type { BoardSample } from '#device/health/board-sampler.ts';
import type { ObservedCondition } from '#device/health/condition-tracker.ts';
import type { ClockOffset } from '#device/health/fleet-clock.ts';

export const hotBoardC = 80;
const lowDiskBytes = 500_000_000;
const lowDiskShare = 0.05;
/** Below either the kernel begins to throw out what it needs again at once. */
const lowMemoryBytes = 32_000_000;
const lowMemoryShare = 0.05;
/** Below it a 2.4 GHz link carries less than a stream of 2.5 Mbit/s reliably. */
const weakSignalDbm = -75;
const wornCardPercent = 90;
/** Schedules go by minutes, and people read times in seconds. */
const wrongClockMs = 5000;

export function observeBoard(board: BoardSample, clock: ClockOffset | null): ObservedCondition[] {
  return [...observePower(board), ...observeDisk(board), ...observeRest(board), ...observeClock(clock)];
}

function observePower({ temperatureC, powerNow = [], powerSinceBoot = [] }: BoardSample): ObservedCondition[] {
  const found: ObservedCondition[] = [];
  if (temperatureC !== undefined && temperatureC > hotBoardC) found.push({ code: 'board-hot', detail: `${temperatureC.toFixed(0)} °C` });
  if (powerNow.includes('under-voltage')) found.push({ code: 'under-voltage', detail: `now: ${powerNow.join(', ')}` });
  const slowed = powerNow.filter((word) => word !== 'under-voltage');
  if (slowed.length > 0) found.push({ code: 'throttled', detail: `now: ${slowed.join(', ')}` });
  if (powerSinceBoot.includes('under-voltage')) {
    found.push({ code: 'power-was-low', detail: `since it was switched on: ${powerSinceBoot.join(', ')}` });
  }
  return found;
}

function observeDisk({ diskFreeBytes, diskTotalBytes, diskProblem, cardWearPercent }: BoardSample): ObservedCondition[] {
  const found: ObservedCondition[] = [];
  if (diskProblem !== undefined) found.push({ code: 'disk-unwritable', detail: describeDiskProblem(diskProblem) });
  if (diskTotalBytes > 0 && (diskFreeBytes < lowDiskBytes || diskFreeBytes < lowDiskShare * diskTotalBytes)) {
    found.push({ code: 'disk-low', detail: `${Math.round(diskFreeBytes / 1e6)} MB free` });
  }
  if (cardWearPercent !== undefined && cardWearPercent >= wornCardPercent) {
    found.push({ code: 'card-worn', detail: `${cardWearPercent} % of its life is used` });
  }
  return found;
}

/** The system's codes (errno(3)) that a failing card, a full one and a wrong installation bring. */
const diskWords: Readonly<Record<string, string>> = {
  EROFS: 'it is read-only',
  ENOSPC: 'it is full',
  EDQUOT: 'its quota is used up',
  EIO: 'it gives errors',
  EACCES: 'this user may not write the state directory',
  ENOENT: 'the state directory is gone',
};

export function describeDiskProblem(code: string): string {
  const words = diskWords[code];
  return words === undefined ? code : `${words} (${code})`;
}

function observeRest({ memoryAvailableBytes, memoryTotalBytes, wifiSignalDbm, wifiRateMbps }: BoardSample): ObservedCondition[] {
  const found: ObservedCondition[] = [];
  const isMemoryKnown = memoryAvailableBytes > 0 && memoryTotalBytes > 0;
  if (isMemoryKnown && (memoryAvailableBytes < lowMemoryBytes || memoryAvailableBytes < lowMemoryShare * memoryTotalBytes)) {
    found.push({
      code: 'memory-low',
      detail: `${Math.round(memoryAvailableBytes / 1e6)} MB of ${Math.round(memoryTotalBytes / 1e6)} left`,
    });
  }
  if (wifiSignalDbm !== undefined && wifiSignalDbm <= weakSignalDbm) {
    found.push({ code: 'wifi-weak', detail: `${wifiSignalDbm} dBm${wifiRateMbps === undefined ? '' : `, ${wifiRateMbps} Mbit/s`}` });
  }
  return found;
}

export function isClockWrong({ offsetMs, precisionMs }: ClockOffset): boolean {
  return Math.abs(offsetMs) - precisionMs > wrongClockMs;
}

function observeClock(clock: ClockOffset | null): ObservedCondition[] {
  if (clock === null || !isClockWrong(clock)) return [];
  const seconds = Math.round(Math.abs(clock.offsetMs) / 1000);
  return [{ code: 'clock-wrong', detail: `${seconds} s ${clock.offsetMs > 0 ? 'ahead of' : 'behind'} the fleet server’s` }];
}
