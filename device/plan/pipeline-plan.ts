/**
 * What shall run on the device, as data: the whole of it, so that two plans can be compared and only what differs is
 * restarted. Made by the pure planner, sent to the media host, kept beside the last good settings.
 */
import { type Static, Type } from 'typebox';
import { VideoSource } from '#protocol/media.ts';

/** What can change while the capture runs: properties of elements of the description, by element name. */
export const LiveProperty = Type.Object({
  element: Type.String({ maxLength: 100 }),
  property: Type.String({ maxLength: 100 }),
  value: Type.Number(),
});
export type LiveProperty = Static<typeof LiveProperty>;

/**
 * A still picture that says "no signal", in the size, rate, encoding and sound of the capture: it keeps the outputs connected.
 * Where the capture itself is one, in place of a camera that is not there, its description is that of the capture.
 */
export const CardPlan = Type.Object({
  /** As that of the capture; an element named `card` shows the text. */
  description: Type.String({ maxLength: 8192 }),
  live: Type.Array(LiveProperty, { maxItems: 16 }),
  /** Which room or device it is; empty: the host's name. */
  title: Type.String({ maxLength: 100 }),
});
export type CardPlan = Static<typeof CardPlan>;

/** What tells a camera or a microphone from another one that has got its node or number. */
export const DeviceUsb = Type.Object({
  /** The kernel's name of the port, for example "1-1.4". */
  port: Type.String({ maxLength: 100 }),
  /** vendor:product */
  id: Type.String({ maxLength: 100 }),
  serial: Type.Union([Type.String({ maxLength: 1000 }), Type.Null()]),
});
export type DeviceUsb = Static<typeof DeviceUsb>;

/** A sound card, and which device has to be that one. */
export const SoundCard = Type.Object({ number: Type.Integer({ minimum: 0 }), usb: DeviceUsb });
export type SoundCard = Static<typeof SoundCard>;

/** How the picture goes on without its microphone. */
export const WithoutMicrophonePlan = Type.Object({
  /** The capture's description with silence in place of the microphone. */
  description: Type.String({ maxLength: 8192 }),
  /** The microphone alone, up to `appsink name=sound`: gives buffers once it is back. */
  probe: Type.String({ maxLength: 1024 }),
  /** Which card has to be the microphone's; absent where it is not on USB. */
  card: Type.Optional(SoundCard),
});
export type WithoutMicrophonePlan = Static<typeof WithoutMicrophonePlan>;

/** The same capture, and its card, with silence: for receivers that have been told of sound and would wait for it. */
export const SilencedPlan = Type.Object({
  description: Type.String({ maxLength: 8192 }),
  /** Absent where the capture has no card. */
  card: Type.Optional(Type.String({ maxLength: 8192 })),
});
export type SilencedPlan = Static<typeof SilencedPlan>;

/** A video file that plays for ever, as if it were a camera. The host reads it, and feeds what it reads to the description. */
export const FilePlan = Type.Object({
  path: Type.String({ maxLength: 1024 }),
  /** The folder that it has to lie in once all symbolic links are resolved; null: any place will do. */
  within: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
  /** Media types of pictures that can be decoded here, as GStreamer calls them. */
  pictures: Type.Array(Type.String({ maxLength: 40 }), { maxItems: 16 }),
  /** Of the samples that `appsrc name=file-sound` takes; null: there is none, because the file's own sound is not wanted. */
  soundRateHz: Type.Union([Type.Integer(), Type.Null()]),
});
export type FilePlan = Static<typeof FilePlan>;

/** How the pictures of a camera are seen that encodes by itself: its keyframes are decoded beside the capture. */
export const KeyframeLookPlan = Type.Object({
  /**
   * From `appsrc name=keyframes`, which takes FLV, to `appsink name=preview-pictures` behind `valve name=preview-valve`, and to `appsink name=luma`. Null: nothing
   * here can decode them.
   */
  description: Type.Union([Type.String({ maxLength: 2048 }), Type.Null()]),
  /** 0: no previews. */
  previewIntervalS: Type.Integer({ minimum: 0 }),
  /** A keyframe is looked at each second, not only for previews. */
  isWatched: Type.Boolean(),
});
export type KeyframeLookPlan = Static<typeof KeyframeLookPlan>;

export const CapturePlan = Type.Object({
  /**
   * A GStreamer pipeline description. It ends in `appsink name=tags`, whose every buffer is one FLV tag, and has a second
   * `appsink name=preview-pictures` with small raw pictures where previews are wanted and can be had from it. It never holds a secret.
   */
  description: Type.String({ maxLength: 8192 }),
  source: VideoSource,
  encoder: Type.String({ maxLength: 100 }),
  width: Type.Integer(),
  height: Type.Integer(),
  framesPerSecond: Type.Integer(),
  hasAudio: Type.Boolean(),
  /** The node without which a start is not worth trying: a camera's. */
  devicePath: Type.Optional(Type.String({ maxLength: 200 })),
  /** Absent: the description's source is none. Its pictures come to `appsrc name=file-pictures`. */
  file: Type.Optional(FilePlan),
  /** Absent: what looks at the picture is in the description, or nothing does. */
  keyframeLook: Type.Optional(KeyframeLookPlan),
  /** Which camera has to be at that node; absent where it is not on USB. */
  deviceUsb: Type.Optional(DeviceUsb),
  /** Absent: nothing is on air while the capture fails. */
  card: Type.Optional(CardPlan),
  /** Absent: there is no microphone to lose. */
  withoutMicrophone: Type.Optional(WithoutMicrophonePlan),
  /** Only where sound is switched off. */
  silenced: Type.Optional(SilencedPlan),
});
export type CapturePlan = Static<typeof CapturePlan>;

/** The encoder's bitrate follows what the targets take, between two bounds. */
export const AdaptivePlan = Type.Object({
  element: Type.String({ maxLength: 100 }),
  /** Of the element, or the name of its control. */
  property: Type.String({ maxLength: 100 }),
  /** Present: what is set is a V4L2 control of the element's device, with this number in linux/v4l2-controls.h. */
  controlId: Type.Optional(Type.Integer()),
  /** The property's value for one kbit/s. */
  unitsPerKbps: Type.Number(),
  minimumKbps: Type.Integer(),
  maximumKbps: Type.Integer(),
});
export type AdaptivePlan = Static<typeof AdaptivePlan>;

export const RtmpOutputPlan = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
  kind: Type.Literal('rtmp'),
  /** The address without its key: fit for logs and screens. */
  target: Type.String({ maxLength: 1024 }),
  /** The whole address with its key: a secret. */
  location: Type.String({ maxLength: 2200 }),
});
export type RtmpOutputPlan = Static<typeof RtmpOutputPlan>;

export const IcecastOutputPlan = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
  kind: Type.Literal('icecast'),
  /** The address without user and password. */
  target: Type.String({ maxLength: 1024 }),
  /** The whole address: a secret. */
  location: Type.String({ maxLength: 1024 }),
  /** Which room or device it is; empty or, in a plan of an earlier agent, absent: the host's name. */
  name: Type.Optional(Type.String({ maxLength: 100 })),
});
export type IcecastOutputPlan = Static<typeof IcecastOutputPlan>;

export const RecordingOutputPlan = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
  kind: Type.Literal('recording'),
  /** For screens. */
  target: Type.String({ maxLength: 1024 }),
  /** Null: the place in the state directory that agent and media host agree on. */
  directory: Type.Union([Type.String({ maxLength: 512 }), Type.Null()]),
  segmentS: Type.Integer({ minimum: 1 }),
});
export type RecordingOutputPlan = Static<typeof RecordingOutputPlan>;

/** One entry a kind of output, told apart by `kind`. */
export const OutputPlan = Type.Union([RtmpOutputPlan, IcecastOutputPlan, RecordingOutputPlan]);
export type OutputPlan = Static<typeof OutputPlan>;

/**
 * The pictures for the dashboard, as JPEG. Not among the outputs: a media host of an earlier version refuses a plan with a kind of output
 * that it does not know, and takes no notice of a field.
 */
export const PreviewPlan = Type.Object({
  id: Type.Literal('preview'),
  kind: Type.Literal('preview'),
  /** For screens. */
  target: Type.String({ maxLength: 1024 }),
  intervalS: Type.Integer({ minimum: 1 }),
  /** From `appsrc name=pictures`, which takes raw pictures of so many bytes, to `appsink name=preview`. Null: nothing here can encode them. */
  encoder: Type.Union([
    Type.Object({ description: Type.String({ maxLength: 1024 }), pictureBytes: Type.Integer({ minimum: 1 }) }),
    Type.Null(),
  ]),
  /** Why the capture gives no pictures for it, in words; null: it gives them. */
  missing: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
});
export type PreviewPlan = Static<typeof PreviewPlan>;

/** Whatever the media host reports as an output. */
export type PlannedOutput = OutputPlan | PreviewPlan;

export const PipelinePlan = Type.Object({
  capture: CapturePlan,
  /** Set after every start of the capture, and alone when nothing else differs: the stream is not interrupted. */
  live: Type.Array(LiveProperty, { maxItems: 16 }),
  outputs: Type.Array(OutputPlan, { maxItems: 16 }),
  /** Absent: nobody wants previews. */
  preview: Type.Optional(PreviewPlan),
  /** Absent: the encoder keeps its bitrate, because it cannot change it while it runs or because nobody wants it to. */
  adaptive: Type.Optional(AdaptivePlan),
});
export type PipelinePlan = Static<typeof PipelinePlan>;
