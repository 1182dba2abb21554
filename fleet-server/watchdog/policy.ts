/** What the watchdog holds against a device, and what it does about it: data. */

import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import type { CommandKind } from '#protocol/commands.ts';
import { mainOutputId } from '#protocol/media.ts';

export type FaultKind = 'pipeline-failed' | 'stream-not-arriving';

export type Rule = {
  readonly fault: FaultKind;
  /** How long it must last before anything is done: the device mends most things by itself. */
  readonly holdMs: number;
  applies(device: DeviceView): boolean;
  describe(device: DeviceView): string;
};

/** The first that applies counts. */
export const rules: readonly Rule[] = [
  {
    fault: 'pipeline-failed',
    holdMs: 2000,
    applies: ({ media }) => media?.kind === 'failed',
    describe: ({ media }) => `the device reports that its pipeline failed: ${media?.kind === 'failed' ? media.reason : ''}`,
  },
  {
    fault: 'stream-not-arriving',
    holdMs: 10_000,
    applies: ({ outputs, reception }) =>
      reception === null && outputs.some(({ id, state }) => id === mainOutputId && state.kind === 'streaming'),
    describe: () => 'the device says that it streams, and the relay receives nothing',
  },
];

export const watchdogPolicy = {
  /** Nothing is done so soon after the server, the relay or the device's connection came to be. */
  settleMs: 15_000,
  /** The first attempt, the second, and each further one as the last. */
  remedies: ['restart-pipeline', 'restart-media-host'],
  /** From one attempt to the next: doubled each time. */
  firstPauseMs: 10_000,
  maxPauseMs: 300_000,
  /** After so long without a fault the next one counts as the first again. */
  forgiveAfterMs: 60_000,
  maxAttemptsAnHour: 12,
} as const satisfies { readonly remedies: readonly [CommandKind, ...CommandKind[]]; readonly [limit: string]: unknown };

export function remedyFor(attempt: number): CommandKind {
  const { remedies } = watchdogPolicy;
  return remedies[Math.min(attempt, remedies.length) - 1] ?? remedies[0];
}

export function pauseAfterMs(attempt: number): number {
  return Math.min(watchdogPolicy.maxPauseMs, watchdogPolicy.firstPauseMs * 2 ** Math.min(attempt - 1, 16));
}
