/** Commands as the API sees them. */
import { type Static, Type } from 'typebox';
import { CommandId, Timestamp } from '#protocol/identifiers.ts';

export const CommandRequest = Type.Object({
  kind: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  arguments: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 16 })),
});
export type CommandRequest = Static<typeof CommandRequest>;

export const CommandStatus = Type.Object({
  id: CommandId,
  kind: Type.String(),
  state: Type.Enum(['waiting', 'sent', 'done', 'failed', 'refused', 'expired']),
  requestedBy: Type.String(),
  requestedAt: Timestamp,
  deadline: Timestamp,
  finishedAt: Type.Union([Timestamp, Type.Null()]),
  detail: Type.String(),
});
export type CommandStatus = Static<typeof CommandStatus>;
export const CommandList = Type.Object({ commands: Type.Array(CommandStatus) });
export type CommandList = Static<typeof CommandList>;
