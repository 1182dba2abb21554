/** What the watchdog looks for, and its policy where nobody has set another: data. */
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import type { ConditionCode } from '#protocol/conditions.ts';
import { mainOutputId } from '#protocol/media.ts';
import type { WatchdogFault, WatchdogPolicy } from '#protocol/model/watchdog.ts';

export type Rule = {
  readonly fault: WatchdogFault;
  /** While the relay does not run it says nothing of the device. */
  readonly needsRelay?: true;
  applies(device: DeviceView): boolean;
  describe(device: DeviceView): string;
};

const has = (device: DeviceView, code: string): boolean => device.conditions.some((condition) => condition.code === code);

/** The three views: what the device says, what the relay receives, and what is in the picture and the sound. Of several the first comes first. */
export const rules: readonly Rule[] = [
  {
    fault: 'pipeline-failed',
    applies: ({ media }) => media?.kind === 'failed',
    describe: ({ media }) => `the device reports that its pipeline failed: ${media?.kind === 'failed' ? media.reason : ''}`,
  },
  {
    fault: 'stream-not-arriving',
    needsRelay: true,
    applies: ({ streamsHere, outputs, reception }) =>
      streamsHere && reception === null && outputs.some(({ id, state }) => id === mainOutputId && state.kind === 'streaming'),
    describe: () => 'the device says that it streams, and the relay receives nothing',
  },
  { fault: 'picture-frozen', applies: (device) => has(device, 'picture-frozen'), describe: () => 'the picture stands still' },
  { fault: 'picture-black', applies: (device) => has(device, 'picture-black'), describe: () => 'the picture is black' },
  { fault: 'audio-silent', applies: (device) => has(device, 'audio-silent'), describe: () => 'there is no sound' },
];

const stoppedByCommand: ConditionCode = 'stopped-by-command';

/** Somebody told it to stop, and it does nothing else that a fault could spoil: previews alone are no reason to restart anything. */
export function isAtRest(device: DeviceView): boolean {
  return device.outputs.every(({ kind }) => kind === 'preview') && has(device, stoppedByCommand);
}

/** Nothing is done so soon after the server, the relay or the device's connection came to be. */
export const settleMs = 15_000;

export const defaultPolicy: WatchdogPolicy = {
  faults: {
    // With the two looks a second it is acted upon within two seconds of the report, and within ten.
    'pipeline-failed': { response: 'escalate', holdS: 1 },
    'stream-not-arriving': { response: 'escalate', holdS: 9 },
    // A hung camera gives the same picture for ever, and so do slides: one restart tells which it is.
    'picture-frozen': { response: 'once', holdS: 10 },
    // Most often a lens cap, a dark room or a mute switch: no restart mends these.
    'picture-black': { response: 'tell', holdS: 30 },
    'audio-silent': { response: 'tell', holdS: 30 },
  },
  steps: [
    { command: 'restart-pipeline', attempts: 1, maxAnHour: 12 },
    { command: 'restart-media-host', attempts: 2, maxAnHour: 6 },
    { command: 'restart-agent', attempts: 2, maxAnHour: 2 },
    { command: 'reboot', attempts: 1, maxAnHour: 1 },
  ],
  firstPauseS: 10,
  maxPauseS: 300,
  forgiveAfterS: 60,
  maxAnHour: 12,
};

export function pauseAfterMs({ firstPauseS, maxPauseS }: WatchdogPolicy, attempt: number): number {
  return Math.min(maxPauseS, firstPauseS * 2 ** Math.min(attempt - 1, 16)) * 1000;
}
