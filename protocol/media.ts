/** What a device says of its capture pipeline and of its outputs. */
import { type Static, Type } from 'typebox';
import { Reason, Timestamp } from '#protocol/identifiers.ts';

export const VideoSource = Type.Object({
  /** `no-signal`: the camera that is wanted has not been seen; a card that says so is on air. */
  kind: Type.Enum(['camera', 'test', 'file', 'element', 'no-signal']),
  id: Type.String({ maxLength: 200 }),
  label: Type.String({ maxLength: 200 }),
});
export type VideoSource = Static<typeof VideoSource>;

/** Only while the restarts of an hour are used up: the next try then, or as soon as the camera is back or somebody asks for it. */
const NextTryAt = Type.Optional(Timestamp);

export const MediaState = Type.Union([
  Type.Object({ kind: Type.Literal('starting'), since: Timestamp }),
  Type.Object({
    kind: Type.Literal('running'),
    since: Timestamp,
    /** The microphone of the plan is gone: since then the stream carries silence, and the picture goes on. */
    microphoneLostAt: Type.Optional(Timestamp),
    /** Why, as far as it is known: another program uses it, it has gone, … */
    microphoneFault: Type.Optional(Reason),
    /** The video file plays, but not as it should: it breaks off, or is too much for this board. */
    fileFault: Type.Optional(Reason),
  }),
  /** The source gives no picture: the card that says so is on air, and the source is tried again and again. */
  Type.Object({ kind: Type.Literal('no-signal'), since: Timestamp, reason: Reason, nextTryAt: NextTryAt }),
  /** Nothing is on air. */
  Type.Object({ kind: Type.Literal('failed'), since: Timestamp, reason: Reason, nextTryAt: NextTryAt }),
  Type.Object({ kind: Type.Literal('stopped'), since: Timestamp }),
]);
export type MediaState = Static<typeof MediaState>;

const Decibels = Type.Number({ minimum: -100, maximum: 0, description: 'dBFS: 0 is the loudest there is, -100 stands for nothing at all' });

/** The sound before it is encoded, over the last sampling interval. One channel where both are the same. */
export const SoundFigures = Type.Object({
  channels: Type.Array(
    Type.Object({
      peakDbfs: Decibels,
      rmsDbfs: Decibels,
      clippedSamples: Type.Integer({ minimum: 0, description: 'Samples in flat tops: three or more in a row at the limit' }),
    }),
    { minItems: 1, maxItems: 8 },
  ),
});
export type SoundFigures = Static<typeof SoundFigures>;

/** The picture before it is encoded, from a small copy taken about once a second. */
export const PictureFigures = Type.Object({
  lumaMean: Type.Number({ minimum: 0, maximum: 255, description: 'Video range: 16 is black' }),
  lumaMax: Type.Number({ minimum: 0, maximum: 255, description: 'The lightest point' }),
  stillS: Type.Number({ minimum: 0, description: 'For how long each picture has been equal to the one before' }),
});
export type PictureFigures = Static<typeof PictureFigures>;

/** Figures over the last sampling interval, seen from the encoded stream itself. */
export const MediaFigures = Type.Object({
  framesPerSecond: Type.Number({ minimum: 0 }),
  videoBitrateKbps: Type.Number({ minimum: 0 }),
  audioBitrateKbps: Type.Number({ minimum: 0 }),
  framesTotal: Type.Integer({ minimum: 0 }),
  width: Type.Integer({ minimum: 0 }),
  height: Type.Integer({ minimum: 0 }),
  /** Absent where silence is planned, or none has come yet. */
  sound: Type.Optional(SoundFigures),
  /** Absent for the test picture, and where nothing can look into the stream. */
  picture: Type.Optional(PictureFigures),
  audioVideoDriftMs: Type.Optional(
    Type.Number({ description: 'How far sound has fallen behind the picture since the capture began; negative: it runs ahead' }),
  ),
});
export type MediaFigures = Static<typeof MediaFigures>;

export const OutputState = Type.Union([
  Type.Object({
    kind: Type.Literal('connecting'),
    attempt: Type.Integer({ minimum: 1 }),
    lastError: Type.Optional(Reason),
  }),
  Type.Object({ kind: Type.Literal('streaming'), since: Timestamp }),
  Type.Object({ kind: Type.Literal('waiting'), attempt: Type.Integer({ minimum: 1 }), nextTryAt: Timestamp, lastError: Reason }),
  /** With a reason where it is wanted and cannot be had here: nothing is tried until the device's hardware or settings are others. */
  Type.Object({ kind: Type.Literal('stopped'), lastError: Type.Optional(Reason) }),
]);
export type OutputState = Static<typeof OutputState>;

/** The output of AV_STREAM_URL: the one that goes to the fleet's relay, where no other address was chosen. */
export const mainOutputId = 'rtmp';

/** What goes somewhere. The previews for the dashboard are no stream: where they fail, nobody's picture is missing but the operator's. */
export function isStream({ kind }: Pick<OutputStatus, 'kind'>): boolean {
  return kind === 'rtmp' || kind === 'icecast';
}

/** What a recording says beyond what every output says. */
export const RecordingStatus = Type.Object({
  /** The name of the file that is being written; null while none is. */
  file: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
  fileBytes: Type.Integer({ minimum: 0 }),
  /** Of its disk, for an ordinary user; null while the disk does not say. */
  freeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** Why it pauses: there is no room that may be used, or the disk refuses. */
  fault: Type.Union([Type.Enum(['disk-full', 'failed']), Type.Null()]),
});
export type RecordingStatus = Static<typeof RecordingStatus>;

export const OutputStatus = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
  /** `preview`: the pictures for the dashboard; it streams while they come. */
  kind: Type.Enum(['rtmp', 'recording', 'preview', 'icecast']),
  /** The address without its key. */
  target: Type.String({ maxLength: 1024 }),
  state: OutputState,
  /** Connections that were made since the media host started. */
  connections: Type.Integer({ minimum: 0 }),
  bytesSent: Type.Integer({ minimum: 0 }),
  /** Whole groups of pictures that were dropped because the target could not take them. */
  droppedGroups: Type.Integer({ minimum: 0 }),
  queuedBytes: Type.Integer({ minimum: 0 }),
  recording: Type.Optional(RecordingStatus),
  /** For how long the oldest picture or sound that has not arrived has been ready: what waits here, in the kernel and on the way. While it streams. */
  lagMs: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type OutputStatus = Static<typeof OutputStatus>;

/** What the encoder is asked for, where its bitrate follows the uplink. */
export const BitrateAdaptation = Type.Object({
  bitrateKbps: Type.Integer({ minimum: 0 }),
  /** AV_VIDEO_BITRATE: what it is when nothing is in the way. */
  targetKbps: Type.Integer({ minimum: 0 }),
  floorKbps: Type.Integer({ minimum: 0 }),
  /** The id of the output that takes no more; null where none is in the way. */
  limitedBy: Type.Union([Type.String({ maxLength: 40 }), Type.Null()]),
  reason: Reason,
});
export type BitrateAdaptation = Static<typeof BitrateAdaptation>;
