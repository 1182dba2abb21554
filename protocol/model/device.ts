/** A device as the API and the dashboard see it. */
import { type Static, Type } from 'typebox';
import { Condition } from '#protocol/conditions.ts';
import { BoardId, DeviceId, GroupName, Reason, Revision, Tag, Timestamp } from '#protocol/identifiers.ts';
import { BitrateAdaptation, MediaFigures, MediaState, OutputStatus, VideoSource } from '#protocol/media.ts';
import { BoardHealth, Inventory, RecordingsSummary, Versions } from '#protocol/messages.ts';
import { DeviceMaintenance } from '#protocol/model/maintenance.ts';

/** `unknown`: the server has not heard of it since the server itself started, and its keepalive has not run out yet. */
export const DevicePresence = Type.Object({
  state: Type.Enum(['online', 'offline', 'unknown']),
  since: Timestamp,
  reason: Type.String(),
});
export type DevicePresence = Static<typeof DevicePresence>;

/** What the relay itself receives under the device's name; the proof behind "live". */
export const RelayReception = Type.Object({
  receivingSince: Timestamp,
  bitrateKbps: Type.Number(),
  bytesReceived: Type.Number(),
  width: Type.Union([Type.Integer(), Type.Null()]),
  height: Type.Union([Type.Integer(), Type.Null()]),
  framesPerSecond: Type.Union([Type.Number(), Type.Null()]),
  videoCodec: Type.Union([Type.String(), Type.Null()]),
  audioCodec: Type.Union([Type.String(), Type.Null()]),
  viewers: Type.Integer(),
});
export type RelayReception = Static<typeof RelayReception>;

/**
 * The state of the stream, from both views. `live` is shown only while the relay receives media from the device.
 * `no-signal`: it may arrive, and what it shows is the card that stands in for the camera.
 * `elsewhere`: the device streams to an address that is not this fleet's relay, which nobody here can prove.
 * Here with what needs somebody most first.
 */
export const streamKinds = [
  'failed',
  'no-signal',
  'not-arriving',
  'offline',
  'unknown',
  'starting',
  'elsewhere',
  'stopped',
  'live',
] as const;
export const StreamState = Type.Object({
  kind: Type.Enum([...streamKinds]),
  since: Timestamp,
  detail: Reason,
});
export type StreamState = Static<typeof StreamState>;

/** `drifted`: it reports something else than it confirmed, since then. */
export const SettingsState = Type.Object({
  kind: Type.Enum(['applied', 'pending', 'refused', 'drifted']),
  driftedSince: Type.Union([Timestamp, Type.Null()]),
  desiredRevision: Revision,
  appliedRevision: Revision,
  reason: Type.Union([Reason, Type.Null()]),
});
export type SettingsState = Static<typeof SettingsState>;

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** A row of the list: what an operator compares devices by. */
export const DeviceSummary = Type.Object({
  id: DeviceId,
  name: Type.String(),
  group: Nullable(Type.String()),
  tags: Type.Array(Tag),
  /** Since when it waits for a person to let it in; null: it is in. */
  waitingSince: Nullable(Timestamp),
  /** Since when it is shut out; null: it is not. */
  blockedSince: Nullable(Timestamp),
  /** The maintenance window that it is in: no alert, and the watchdog does nothing; null: none. */
  maintenance: Nullable(DeviceMaintenance),
  presence: DevicePresence,
  stream: StreamState,
  settings: SettingsState,
  conditions: Type.Array(Condition),
  source: Nullable(VideoSource),
  figures: Nullable(MediaFigures),
  relay: Nullable(RelayReception),
  board: Nullable(BoardHealth),
  boardName: Nullable(Type.String()),
  previewAt: Nullable(Timestamp),
  lastHeardAt: Nullable(Timestamp),
});
export type DeviceSummary = Static<typeof DeviceSummary>;

/** A board that was heard under the device's name. The one on record is the device; any other is a copy of its card, or has it now. */
export const DeviceBoard = Type.Object({
  id: BoardId,
  hostName: Type.String(),
  firstSeenAt: Timestamp,
  lastSeenAt: Timestamp,
  isOnRecord: Type.Boolean(),
});
export type DeviceBoard = Static<typeof DeviceBoard>;

export const DeviceDetail = Type.Object({
  ...DeviceSummary.properties,
  joinedAt: Timestamp,
  /** The one heard last first; empty where none has said which it is. */
  boards: Type.Array(DeviceBoard),
  versions: Nullable(Versions),
  inventory: Nullable(Inventory),
  media: Nullable(MediaState),
  outputs: Type.Array(OutputStatus),
  /** Null where the bitrate does not follow the uplink. */
  adaptation: Nullable(BitrateAdaptation),
  recordings: Nullable(RecordingsSummary),
  /** Null: none was asked for since the fleet server started. */
  snapshotAt: Nullable(Timestamp),
  capabilities: Type.Array(Type.String()),
});
export type DeviceDetail = Static<typeof DeviceDetail>;

/** Of a device. */
export const maxTags = 20;

/** Which devices are meant: those that are all of this. */
export const DeviceMatch = Type.Object(
  {
    search: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Words that must all be in the name, id, group, tags, board, camera, state or conditions',
      }),
    ),
    state: Type.Optional(Type.Enum([...streamKinds], { description: 'Of the stream' })),
    group: Type.Optional(GroupName),
    tag: Type.Optional(Tag),
    waiting: Type.Optional(Type.Boolean({ description: 'Only those that wait for approval, or only those that do not' })),
    blocked: Type.Optional(Type.Boolean({ description: 'Only those that are shut out, or only those that are not' })),
  },
  { additionalProperties: false },
);
export type DeviceMatch = Static<typeof DeviceMatch>;

/** `urgency`: what needs somebody most first. `bitrate`: what the relay receives. Those without the figure come last either way. */
export const deviceSorts = ['name', 'urgency', 'state-since', 'heard', 'bitrate', 'temperature', 'waiting'] as const;
export const DeviceSort = Type.Enum([...deviceSorts]);
export type DeviceSort = Static<typeof DeviceSort>;

export const StateCount = Type.Object({ state: StreamState.properties.kind, count: Type.Integer() });
export type StateCount = Static<typeof StateCount>;

export const DeviceList = Type.Object({
  devices: Type.Array(DeviceSummary),
  /** Of all pages. */
  total: Type.Integer(),
  /** How many devices come before this page. */
  before: Type.Integer(),
  /** How many devices would match in each state, whichever state was asked for; states that none is in are left out. */
  states: Type.Array(StateCount),
  /** How many of those that would match in any state are shut out, whether or not such were asked for. */
  blocked: Type.Integer(),
  /** Give it as `after` to read the next page; null on the last one. */
  next: Nullable(Type.String()),
});
export type DeviceList = Static<typeof DeviceList>;

/** Tags that there are, by name. */
export const TagList = Type.Object({ tags: Type.Array(Type.Object({ name: Tag, deviceCount: Type.Integer() })) });
export type TagList = Static<typeof TagList>;

export const maxSelectedDevices = 10_000;

/** Several devices: either these, or all that match. */
const selection = {
  deviceIds: Type.Optional(Type.Array(DeviceId, { minItems: 1, maxItems: maxSelectedDevices, uniqueItems: true })),
  matching: Type.Optional(DeviceMatch),
};
export type DeviceSelection = { readonly deviceIds?: readonly string[] | undefined; readonly matching?: DeviceMatch | undefined };

export const TaggingRequest = Type.Object(
  {
    ...selection,
    add: Type.Array(Tag, { maxItems: maxTags }),
    remove: Type.Array(Tag, { maxItems: maxTags }),
  },
  { additionalProperties: false },
);
export type TaggingRequest = Static<typeof TaggingRequest>;
export const TaggingResult = Type.Object({ selected: Type.Integer(), changed: Type.Integer() });
export type TaggingResult = Static<typeof TaggingResult>;

/** `group`: null: out of any. */
export const GroupingRequest = Type.Object({ ...selection, group: Nullable(GroupName) }, { additionalProperties: false });
export type GroupingRequest = Static<typeof GroupingRequest>;
export const GroupingResult = Type.Object({ selected: Type.Integer(), changed: Type.Integer() });
export type GroupingResult = Static<typeof GroupingResult>;

export const DevicePatch = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
    group: Type.Optional(Nullable(GroupName)),
    tags: Type.Optional(Type.Array(Tag, { maxItems: maxTags, description: 'All of them, in place of those that it has' })),
  },
  { additionalProperties: false },
);
export type DevicePatch = Static<typeof DevicePatch>;

export const GroupSummary = Type.Object({
  name: GroupName,
  deviceCount: Type.Integer(),
  onlineCount: Type.Integer(),
  liveCount: Type.Integer(),
  /** How many settings it sets. */
  settingCount: Type.Integer(),
});
export type GroupSummary = Static<typeof GroupSummary>;
/** Another name than any group has. */
export const GroupPatch = Type.Object({ name: GroupName }, { additionalProperties: false });
export type GroupPatch = Static<typeof GroupPatch>;
export const RenamedGroup = Type.Object({ name: GroupName, deviceCount: Type.Integer() });
export type RenamedGroup = Static<typeof RenamedGroup>;
export const GroupList = Type.Object({ groups: Type.Array(GroupSummary) });
export type GroupList = Static<typeof GroupList>;

/** Addresses that a player can open as they stand; the ticket in them expires. */
export const Playback = Type.Object({ rtmp: Type.String(), hls: Type.String(), expiresAt: Timestamp });
export type Playback = Static<typeof Playback>;

const figure = Nullable(Type.Number());

/** Means over a step that begins at `at`, and the extremes of what is bad when it is low or high. */
export const HealthSample = Type.Object({
  at: Timestamp,
  framesPerSecond: figure,
  videoBitrateKbps: figure,
  temperatureC: figure,
  loadAverage1m: figure,
  memoryAvailableBytes: figure,
  audioRmsDbfs: Nullable(Type.Number({ description: 'Of the loudest channel' })),
  audioVideoDriftMs: figure,
  min: Type.Object({
    framesPerSecond: figure,
    videoBitrateKbps: figure,
    temperatureC: figure,
    memoryAvailableBytes: figure,
    audioRmsDbfs: figure,
    audioVideoDriftMs: figure,
  }),
  max: Type.Object({
    framesPerSecond: figure,
    videoBitrateKbps: figure,
    temperatureC: figure,
    loadAverage1m: figure,
    audioRmsDbfs: figure,
    audioVideoDriftMs: figure,
  }),
});
export type HealthSample = Static<typeof HealthSample>;
/** `stepS` may be larger than was asked for: the finest that is kept for so long. */
export const HealthHistory = Type.Object({ stepS: Type.Integer(), samples: Type.Array(HealthSample) });
export type HealthHistory = Static<typeof HealthHistory>;
