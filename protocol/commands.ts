/** Commands: one-shot requests to a device, done once however often they are delivered. */
import { type Static, Type } from 'typebox';

export const commandDefinitions = {
  'restart-pipeline': { title: 'Restart pipeline', deadlineMs: 60_000 },
  'restart-media-host': { title: 'Restart media host', deadlineMs: 60_000 },
  // Against AV_RECORD and its schedule, until the next settings are in force.
  'start-recording': { title: 'Start recording', deadlineMs: 60_000 },
  'stop-recording': { title: 'Stop recording', deadlineMs: 60_000 },
} as const satisfies Record<string, { title: string; deadlineMs: number }>;

export const CommandKind = Type.Enum(Object.keys(commandDefinitions) as (keyof typeof commandDefinitions)[]);
export type CommandKind = keyof typeof commandDefinitions;

export function isCommandKind(kind: string): kind is CommandKind {
  return Object.hasOwn(commandDefinitions, kind);
}

/** What became of a command on the device. */
export const CommandOutcome = Type.Enum(['done', 'failed', 'refused', 'expired']);
export type CommandOutcome = Static<typeof CommandOutcome>;
