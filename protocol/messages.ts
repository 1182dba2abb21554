/**
 * The body of every message, one schema each. Units stand in the keys. A field that this side does not know is let
 * through, so that either side may be upgraded first; a wrong one makes the message a named problem (envelope.ts).
 */
import { type Static, Type } from 'typebox';
import { CommandOutcome, longestDeadlineMs } from '#protocol/commands.ts';
import { Condition } from '#protocol/conditions.ts';
import { BoardId, CommandId, Digest, Reason, Revision, Timestamp } from '#protocol/identifiers.ts';
import { BitrateAdaptation, MediaFigures, MediaState, OutputStatus, VideoSource } from '#protocol/media.ts';
import { RecordingsPage } from '#protocol/recordings.ts';
import { SettingLevel, SettingValue, UnjudgedSettings, WireSettings } from '#protocol/settings.ts';

const Label = Type.String({ maxLength: 200 });

export const Presence = Type.Object(
  {
    state: Type.Enum(['online', 'offline']),
    reason: Type.Enum(['connected', 'stopping', 'connection-lost']),
  },
  { description: 'Whether the device is there. The last will says offline, connection-lost; the death of an old session is ignored.' },
);
export type Presence = Static<typeof Presence>;

export const Versions = Type.Object({ agent: Label, node: Label, gstreamer: Label, os: Label });
export type Versions = Static<typeof Versions>;

export const BoardIdentity = Type.Object({ id: BoardId, hostName: Type.String({ maxLength: 80 }) });
export type BoardIdentity = Static<typeof BoardIdentity>;

export const Hello = Type.Object(
  {
    board: Type.Optional(BoardIdentity),
    inventoryDigest: Digest,
    versions: Versions,
    appliedRevision: Revision,
    appliedDigest: Type.Union([Digest, Type.Null()]),
  },
  { description: 'Birth of a session. The server answers with desired if revision or digest differ, and with commands still in time.' },
);
export type Hello = Static<typeof Hello>;

export const CameraInventory = Type.Object({
  id: Label,
  name: Label,
  driver: Label,
  path: Label,
  usbId: Type.Optional(Label),
  nativeH264: Type.Boolean(),
});
export const MicrophoneInventory = Type.Object({ id: Label, name: Label, alsaDevice: Label });
export const Inventory = Type.Object({
  board: Type.Object({ id: Label, name: Label, architecture: Label }),
  cameras: Type.Array(CameraInventory, { maxItems: 32 }),
  microphones: Type.Array(MicrophoneInventory, { maxItems: 32 }),
  encoders: Type.Array(Label, { maxItems: 32 }),
});
export type Inventory = Static<typeof Inventory>;

/** One setting in force on the device. The value of a secret is never sent: only whether there is one. */
export const ReportedSetting = Type.Object({
  value: Type.Union([SettingValue, Type.Null()]),
  level: SettingLevel,
  isSecret: Type.Optional(Type.Boolean()),
});
export type ReportedSetting = Static<typeof ReportedSetting>;

export const Report = Type.Object(
  {
    inventory: Inventory,
    settings: Type.Record(Type.String({ pattern: '^AV_[A-Z0-9_]{1,60}$' }), ReportedSetting, { maxProperties: 200 }),
    source: Type.Union([VideoSource, Type.Null()]),
    encoder: Type.Union([Label, Type.Null()]),
    media: MediaState,
    outputs: Type.Array(OutputStatus, { maxItems: 32 }),
    conditions: Type.Array(Condition, { maxItems: 64 }),
    appliedRevision: Revision,
    capabilities: Type.Array(Label, { maxItems: 64, description: 'Command kinds that this agent knows' }),
  },
  { description: 'The whole snapshot, on change and every 60 s.' },
);
export type Report = Static<typeof Report>;

/** Of the firmware of a Raspberry Pi: under-voltage, frequency-capped, throttled, temperature-limit. */
const PowerWords = Type.Array(Type.String({ maxLength: 40 }), { maxItems: 8 });

export const BoardHealth = Type.Object({
  uptimeS: Type.Number({ minimum: 0 }),
  loadAverage1m: Type.Number({ minimum: 0 }),
  memoryTotalBytes: Type.Integer({ minimum: 0 }),
  memoryAvailableBytes: Type.Integer({ minimum: 0 }),
  agentRssBytes: Type.Integer({ minimum: 0 }),
  mediaHostRssBytes: Type.Integer({ minimum: 0 }),
  diskTotalBytes: Type.Integer({ minimum: 0 }),
  diskFreeBytes: Type.Integer({ minimum: 0 }),
  temperatureC: Type.Optional(Type.Number()),
  throttled: Type.Optional(Type.Boolean()),
  powerNow: Type.Optional(PowerWords),
  powerSinceBoot: Type.Optional(PowerWords),
  wifiSignalDbm: Type.Optional(Type.Number()),
  wifiRateMbps: Type.Optional(Type.Number({ minimum: 0 })),
  uplinkKbps: Type.Optional(Type.Number({ minimum: 0, description: 'What all outputs have sent since the last health' })),
  clockOffsetMs: Type.Optional(Type.Number({ description: 'The device’s clock against the fleet server’s; above nought it is ahead' })),
  clockPrecisionMs: Type.Optional(Type.Number({ minimum: 0, description: 'How far the truth may be from clockOffsetMs' })),
  diskProblem: Type.Optional(Type.String({ maxLength: 200, description: 'Why the state directory cannot be written' })),
  cardWearPercent: Type.Optional(Type.Number({ minimum: 0, maximum: 100, description: 'Of the card’s life; only where the card tells' })),
});
export type BoardHealth = Static<typeof BoardHealth>;

/** Of the recordings on the device's disk. Absent where there is no place for any. */
export const RecordingsSummary = Type.Object({
  count: Type.Integer({ minimum: 0 }),
  totalBytes: Type.Integer({ minimum: 0 }),
  /** Beyond it the oldest are deleted. */
  maximumBytes: Type.Integer({ minimum: 0 }),
  freeBytes: Type.Integer({ minimum: 0 }),
  protectedCount: Type.Integer({ minimum: 0 }),
  /** To be converted to MP4. */
  waitingCount: Type.Integer({ minimum: 0 }),
  /** Stay as they were recorded. */
  unconvertibleCount: Type.Integer({ minimum: 0 }),
  oldestAt: Type.Union([Timestamp, Type.Null()]),
  newestAt: Type.Union([Timestamp, Type.Null()]),
});
export type RecordingsSummary = Static<typeof RecordingsSummary>;

export const Health = Type.Object(
  {
    media: MediaState,
    figures: Type.Union([MediaFigures, Type.Null()]),
    adaptation: Type.Optional(BitrateAdaptation),
    outputs: Type.Array(OutputStatus, { maxItems: 32 }),
    conditions: Type.Array(Condition, { maxItems: 64 }),
    board: BoardHealth,
    recordings: Type.Optional(RecordingsSummary),
  },
  { description: 'Every 10 s with jitter, and at once when the media state changes.' },
);
export type Health = Static<typeof Health>;

const backlogFigures = {
  framesPerSecond: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  videoBitrateKbps: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  temperatureC: Type.Union([Type.Number(), Type.Null()]),
  loadAverage1m: Type.Number({ minimum: 0 }),
  memoryAvailableBytes: Type.Integer({ minimum: 0 }),
};
/** What is kept of a health that nobody could be told. */
export const BacklogFigures = Type.Object(backlogFigures);

export const HealthBacklog = Type.Object(
  {
    samples: Type.Array(
      Type.Object({
        ageMs: Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'When this message was sent; the server’s own clock makes a time of it',
        }),
        ...backlogFigures,
      }),
      { maxItems: 60 },
    ),
  },
  { description: 'Health of a time without a connection: one sample a minute, of the last six hours, after the events.' },
);
export type HealthBacklog = Static<typeof HealthBacklog>;

export const Event = Type.Object(
  {
    number: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Grows by one an event, over restarts of the agent too',
    }),
    at: { ...Timestamp, description: 'By the device’s clock, as `sentAt` of the envelope: the server goes by the difference' },
    kind: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
    detail: Reason,
    oldestNumber: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Of the oldest event that the device still has: what is below is gone, or was acknowledged',
      }),
    ),
  },
  { description: 'A thing that happened. Kept on the device until the server has stored it.' },
);
export type Event = Static<typeof Event>;

export const EventAck = Type.Object(
  { upToNumber: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) },
  {
    description:
      'All events up to this number are stored: the device forgets them. A device that has never given so high a number has lost its count: it numbers what it has anew, above this.',
  },
);
export type EventAck = Static<typeof EventAck>;

export const LogLines = Type.Object(
  { lines: Type.Array(Type.String({ maxLength: 2000 }), { maxItems: 200 }) },
  { description: 'Log lines, while a lease is open.' },
);
export type LogLines = Static<typeof LogLines>;

export const RelayTarget = Type.Object({
  host: Type.Union([Type.String({ maxLength: 255 }), Type.Null()], {
    description: 'Null: the host at which the device reaches the fleet server',
  }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  application: Label,
  streamKey: Type.String({ maxLength: 512 }),
});
export type RelayTarget = Static<typeof RelayTarget>;

export const Desired = Type.Object(
  {
    revision: Revision,
    digest: Digest,
    levels: Type.Object({ fleet: WireSettings, group: WireSettings, device: WireSettings }),
    relay: Type.Union([RelayTarget, Type.Null()]),
    waitsForApproval: Type.Optional(
      Type.Boolean({ description: 'A person has yet to let the device in: until then it has no settings, no relay and no key' }),
    ),
  },
  { description: 'The complete settings of the device, level by level, with secrets. Never retained. Older revisions are ignored.' },
);
export type Desired = Static<typeof Desired>;

/** As it comes: the device judges the values, so that it can say which one it refuses. */
export const UnjudgedDesired = Type.Object({
  ...Desired.properties,
  levels: Type.Object({ fleet: UnjudgedSettings, group: UnjudgedSettings, device: UnjudgedSettings }),
});
export type UnjudgedDesired = Static<typeof UnjudgedDesired>;

export const SettingRefusal = Type.Object({ key: Label, reason: Reason });
export type SettingRefusal = Static<typeof SettingRefusal>;

export const Applied = Type.Object(
  {
    revision: Revision,
    outcome: Type.Enum(['applied', 'refused', 'rolled-back']),
    refusals: Type.Array(SettingRefusal, { maxItems: 64, description: 'Which settings, and why' }),
    inForceRevision: Revision,
  },
  { description: 'The only proof that a revision is in force, or why it is not.' },
);
export type Applied = Static<typeof Applied>;

export const Command = Type.Object(
  {
    id: CommandId,
    kind: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
    arguments: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 16 }),
    deadline: Timestamp,
    tellProgress: Type.Optional(
      Type.Boolean({ description: 'This server hears command-progress. One that does not say so would refuse it, and end the connection' }),
    ),
  },
  { description: 'A one-shot request. The device remembers the last 200 ids on disk.' },
);
export type Command = Static<typeof Command>;

export const CommandProgress = Type.Object(
  {
    id: CommandId,
    elapsedMs: Type.Integer({
      minimum: 0,
      maximum: longestDeadlineMs,
      description: 'Since the device began it. It grows from message to message: what is not ahead of what was said before changes nothing',
    }),
    detail: Type.String({ maxLength: 200, description: 'How far it is; empty where there is nothing to say but that it has begun' }),
  },
  {
    description:
      'The device has begun a command and is still doing it: after a second, and every five seconds from then on. Only where the server has asked for that.',
  },
);
export type CommandProgress = Static<typeof CommandProgress>;

export const CommandResult = Type.Object(
  {
    id: CommandId,
    outcome: CommandOutcome,
    detail: Reason,
    lines: Type.Optional(Type.Array(Reason, { maxItems: 60, description: 'What was found, where a command asks for that' })),
    recordings: Type.Optional(RecordingsPage),
  },
  { description: 'What became of a command.' },
);
export type CommandResult = Static<typeof CommandResult>;
