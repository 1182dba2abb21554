/** Which step of a policy comes next: pure. */
import { readReport } from '#fleet-server/devices/kept-report.ts';
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import type { WatchdogCommand, WatchdogPolicy } from '#protocol/model/watchdog.ts';

type PolicyStep = WatchdogPolicy['steps'][number];
type Done = readonly { readonly command: WatchdogCommand }[];

/** The step whose turn it is after so many attempts; where it may not be taken, the strongest gentler one; null: none may. */
export function nextStep(steps: readonly PolicyStep[], attempts: number, done: Done, device: DeviceView): WatchdogCommand | null {
  const usable = steps.slice(0, turnOf(steps, attempts) + 1).filter((step) => isUsable(step, done, device));
  return usable.at(-1)?.command ?? null;
}

function turnOf(steps: readonly PolicyStep[], attempts: number): number {
  let before = 0;
  for (const [index, step] of steps.entries()) {
    before += step.attempts;
    if (attempts < before) return index;
  }
  return steps.length - 1;
}

/** The device knows it, its own environment allows it, and the bound an hour is not reached. */
export function isUsable({ command, maxAnHour }: PolicyStep, done: Done, device: DeviceView): boolean {
  const report = readReport(device.report);
  const isKnown = report === null || report.capabilities.length === 0 || report.capabilities.includes(command);
  const isAllowed = command !== 'reboot' || report?.settings['AV_ALLOW_REBOOT']?.value === true;
  return isKnown && isAllowed && done.filter((one) => one.command === command).length < maxAnHour;
}
