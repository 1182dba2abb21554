/** Commands as the API sees them. */
import { type Static, Type } from 'typebox';
import { longestDeadlineMs } from '#protocol/commands.ts';
import { CommandId, DeviceId, GroupName, Tag, Timestamp } from '#protocol/identifiers.ts';
import { DeviceMatch, maxSelectedDevices } from '#protocol/model/device.ts';
import { RecordingsPage } from '#protocol/recordings.ts';

const asked = {
  kind: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  arguments: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 16 })),
  deadlineS: Type.Optional(
    Type.Integer({
      minimum: 5,
      maximum: longestDeadlineMs / 1000,
      description: 'How long a device that is away may take to come back and do it; as long as its kind says unless given',
    }),
  ),
};

export const CommandRequest = Type.Object(asked);
export type CommandRequest = Static<typeof CommandRequest>;

export const CommandProgress = Type.Object({
  begunAt: Timestamp,
  detail: Type.String({ description: 'How far it was when the device said so last; may be empty' }),
});
export type CommandProgress = Static<typeof CommandProgress>;
const progress = Type.Optional({
  ...CommandProgress,
  description: 'The device has said that it has begun: it does so where a command takes longer than a second. Older devices never do',
});

export const CommandStatus = Type.Object({
  id: CommandId,
  kind: Type.String(),
  /** `withdrawn`: taken back before it was sent. A result that comes after all counts. */
  state: Type.Enum(['waiting', 'sent', 'done', 'failed', 'refused', 'expired', 'withdrawn']),
  requestedBy: Type.String(),
  requestedAt: Timestamp,
  deadline: Timestamp,
  finishedAt: Type.Union([Timestamp, Type.Null()]),
  detail: Type.String(),
  progress,
  lines: Type.Optional(Type.Array(Type.String(), { description: 'What the device found, where the kind asks for that' })),
  recordings: Type.Optional(RecordingsPage),
});
export type CommandStatus = Static<typeof CommandStatus>;
export const CommandList = Type.Object({ commands: Type.Array(CommandStatus) });
export type CommandList = Static<typeof CommandList>;

/** The same as can be tagged at once. */
export const maxBatchDevices = maxSelectedDevices;

/** Of several devices at once: either these, all of a group, all with a tag, or all that match. */
export const BatchRequest = Type.Object({
  ...asked,
  deviceIds: Type.Optional(Type.Array(DeviceId, { minItems: 1, maxItems: maxBatchDevices, uniqueItems: true })),
  group: Type.Optional(GroupName),
  tag: Type.Optional(Tag),
  matching: Type.Optional(DeviceMatch),
});
export type BatchRequest = Static<typeof BatchRequest>;

export const BatchStatus = Type.Object({
  id: CommandId,
  kind: Type.String(),
  requestedBy: Type.String(),
  requestedAt: Timestamp,
  deadline: Timestamp,
  progress: Type.Object({
    total: Type.Integer(),
    open: Type.Integer(),
    begun: Type.Integer({ description: 'Of those that are open: how many devices have said that they are doing it' }),
    done: Type.Integer(),
    notDone: Type.Integer(),
  }),
  commands: Type.Array(
    Type.Object({
      deviceId: DeviceId,
      id: CommandId,
      state: CommandStatus.properties.state,
      finishedAt: CommandStatus.properties.finishedAt,
      detail: Type.String(),
      progress,
    }),
  ),
});
export type BatchStatus = Static<typeof BatchStatus>;
