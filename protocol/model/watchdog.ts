/** What the watchdog holds against a device and what it does about it: data, for the fleet and for groups. */
import { type Static, Type } from 'typebox';
import { GroupName, Timestamp } from '#protocol/identifiers.ts';

export const watchdogFaults = ['pipeline-failed', 'stream-not-arriving', 'picture-frozen', 'picture-black', 'audio-silent'] as const;
export const WatchdogFault = Type.Enum([...watchdogFaults]);
export type WatchdogFault = Static<typeof WatchdogFault>;

/** The gentlest first. */
export const watchdogCommands = ['restart-pipeline', 'restart-media-host', 'restart-agent', 'reboot'] as const;
export const WatchdogCommand = Type.Enum([...watchdogCommands]);
export type WatchdogCommand = Static<typeof WatchdogCommand>;

/**
 * `escalate`: step after step, until it is over. `once`: the first step, and not again within the hour. `tell`: an entry in the device's
 * history. `ignore`: nothing.
 */
export const WatchdogResponse = Type.Enum(['escalate', 'once', 'tell', 'ignore']);
export type WatchdogResponse = Static<typeof WatchdogResponse>;

const FaultRule = Type.Object({
  response: WatchdogResponse,
  holdS: Type.Integer({
    minimum: 1,
    maximum: 3600,
    description:
      'How long it must last: the device mends most things by itself. A time without it takes half of its own length from that. Nothing is done within ' +
      '15 s after the device connected, or before the pause after a restart is over',
  }),
});

export const WatchdogPolicy = Type.Object({
  faults: Type.Object({
    'pipeline-failed': FaultRule,
    'stream-not-arriving': FaultRule,
    'picture-frozen': FaultRule,
    'picture-black': FaultRule,
    'audio-silent': FaultRule,
  }),
  steps: Type.Array(
    Type.Object({
      command: WatchdogCommand,
      attempts: Type.Integer({ minimum: 1, maximum: 10, description: 'Before the next step; the last one goes on' }),
      maxAnHour: Type.Integer({ minimum: 0, maximum: 12, description: 'Beyond it a gentler step is taken; 0: never' }),
    }),
    {
      minItems: 1,
      maxItems: watchdogCommands.length,
      description: 'Each command once, the gentlest first; reboot only where the device allows it',
    },
  ),
  firstPauseS: Type.Integer({ minimum: 5, maximum: 3600, description: 'From one attempt to the next: doubled each time' }),
  maxPauseS: Type.Integer({ minimum: 5, maximum: 3600 }),
  forgiveAfterS: Type.Integer({
    minimum: 10,
    maximum: 86_400,
    description: 'After so long without a fault that is more than told the next is the first again',
  }),
  maxAnHour: Type.Integer({ minimum: 0, maximum: 60, description: 'Of all steps together; 0: the watchdog does nothing' }),
});
export type WatchdogPolicy = Static<typeof WatchdogPolicy>;

/** `level`: where what counts here is set; a group without a policy of its own has the fleet's. */
export const WatchdogPolicyAnswer = Type.Object({
  policy: WatchdogPolicy,
  level: Type.Enum(['default', 'fleet', 'group']),
  changedAt: Type.Union([Timestamp, Type.Null()]),
  changedBy: Type.Union([Type.String(), Type.Null()]),
});
export type WatchdogPolicyAnswer = Static<typeof WatchdogPolicyAnswer>;

/** Groups that have a policy of their own, by name. */
export const WatchdogPolicyList = Type.Object({
  groups: Type.Array(
    Type.Object({
      name: GroupName,
      deviceCount: Type.Integer(),
      changedAt: Timestamp,
      changedBy: Type.String(),
      /** Without it the same would be in force: it holds the group where it is when the fleet's changes. */
      isAsFleet: Type.Boolean(),
    }),
  ),
});
export type WatchdogPolicyList = Static<typeof WatchdogPolicyList>;
