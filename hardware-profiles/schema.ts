/**
 * What we know about a board, a camera or an encoder, as data: one JSON file each under boards/, cameras/ and encoders/,
 * named after its id. No behaviour lives here; the device reads the files and decides.
 */
import { type Static, Type } from 'typebox';

const Id = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$', description: 'The file’s name without .json' });
const Words = Type.String({ minLength: 1, maxLength: 1000 });
const Pattern = Type.String({ minLength: 1, maxLength: 200, description: 'A regular expression, case-insensitive' });

/** stable: used at events; beta: works for its authors; alpha: ran once; untested: written from documents alone. */
export const ProfileStatus = Type.Enum(['stable', 'beta', 'alpha', 'untested']);
export type ProfileStatus = Static<typeof ProfileStatus>;

const described = {
  id: Id,
  title: Type.String({ minLength: 1, maxLength: 100 }),
  status: ProfileStatus,
  notes: Words,
  /** Where the knowledge comes from: a document, a data sheet, a measurement. */
  source: Words,
};

const closed = { additionalProperties: false };

/** Defaults at the level of this profile, in the settings' canonical types. */
const Settings = Type.Record(
  Type.String({ pattern: '^AV_[A-Z0-9_]{1,60}$' }),
  Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 512 })]),
);

export const BoardProfile = Type.Object(
  {
    ...described,
    /** All that are given must fit; a model counts more than an architecture. The one profile without a rule fits every board. */
    match: Type.Object(
      {
        /** Against the device tree's model. */
        model: Type.Optional(Pattern),
        /** As `uname -m` says it. */
        architectures: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { minItems: 1, maxItems: 8 })),
      },
      closed,
    ),
    settings: Settings,
    /** Encoder profiles by id, best first. Those not named are never used on this board. */
    encoders: Type.Array(
      Type.Object(
        {
          id: Id,
          /** Pixels a second that the encoder carries on this board, where that is less than it carries anywhere. */
          maximumPixelsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
          /** The board may have it or not: it is not relied upon where GStreamer did not tell which encoders are there. */
          onlyWhereFound: Type.Optional(Type.Literal(true)),
        },
        closed,
      ),
      { minItems: 1, maxItems: 8 },
    ),
    /** Pixels a second of MJPEG that the processor can decode beside the rest; absent: enough. */
    maximumMjpegPixelsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);
export type BoardProfile = Static<typeof BoardProfile>;

/** Traits of a camera that the planner knows how to live with. A quirk without code behind it is not a quirk. */
export const CameraQuirk = Type.Enum(['ignore-native-h264', 'ignore-mjpeg', 'first-format-only', 'no-microphone', 'still-pictures']);
export type CameraQuirk = Static<typeof CameraQuirk>;

export const CameraProfile = Type.Object(
  {
    ...described,
    /** All that are given must fit; the profile with the most specific rule wins: USB id, then name, then driver. */
    match: Type.Object(
      {
        usbIds: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9a-f]{4}:[0-9a-f]{4}$' }), { minItems: 1, maxItems: 32 })),
        name: Type.Optional(Pattern),
        driver: Type.Optional(Pattern),
      },
      { ...closed, minProperties: 1 },
    ),
    settings: Settings,
    quirks: Type.Array(CameraQuirk, { maxItems: 16 }),
    /** Pictures that the camera can give at most, for a source that names none itself (libcamera scales each down to what is asked). */
    modes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            width: Type.Integer({ minimum: 16, maximum: 8192 }),
            height: Type.Integer({ minimum: 16, maximum: 8192 }),
            framesPerSecond: Type.Number({ minimum: 1, maximum: 240 }),
          },
          closed,
        ),
        { minItems: 1, maxItems: 16 },
      ),
    ),
  },
  closed,
);
export type CameraProfile = Static<typeof CameraProfile>;

const PropertyName = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' });
const PropertyValue = Type.String({ pattern: '^[A-Za-z0-9_.+-]{1,60}$' });

export const EncoderProfile = Type.Object(
  {
    ...described,
    match: Type.Object({ element: Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' }) }, closed),
    /** Properties at launch, in this order. */
    properties: Type.Array(Type.Object({ name: PropertyName, value: PropertyValue }, closed), { maxItems: 32 }),
    /**
     * Where bitrate and keyframe interval go: a property of the element, or a V4L2 control inside its `extra-controls`.
     * `live`: the element takes another bitrate while it plays. A property is set then; a control is set by its number, which stands
     * in linux/v4l2-controls.h, and needs one.
     */
    bitrate: Type.Object(
      {
        target: Type.Enum(['property', 'control']),
        name: PropertyName,
        unit: Type.Enum(['kbit/s', 'bit/s']),
        live: Type.Boolean(),
        controlId: Type.Optional(Type.Integer({ minimum: 1, maximum: 0xffff_ffff })),
      },
      closed,
    ),
    keyframeInterval: Type.Object({ target: Type.Enum(['property', 'control']), name: PropertyName }, closed),
    /** Further V4L2 controls of `extra-controls`, in this order. */
    controls: Type.Array(Type.Object({ name: PropertyName, value: PropertyValue }, closed), { maxItems: 32 }),
    /** GStreamer's raw formats that the element takes without conversion, best first. */
    inputFormats: Type.Array(Type.String({ pattern: '^[A-Z0-9]{3,8}$' }), { minItems: 1, maxItems: 8 }),
    /** Caps behind the element; `profile=high` is part of them. */
    outputCaps: Type.String({ pattern: '^video/x-h264(?:,[a-z-]+=(?:\\([a-z]+\\))?[A-Za-z0-9.-]+)*$', maxLength: 200 }),
    /** Parameters that AV_H264_ENCODER_PARAMS may not set, because a setting of ours or this profile governs them. */
    reserved: Type.Array(PropertyName, { maxItems: 32 }),
    /** Pixels a second beyond which the encoder cannot follow; absent: only the processor limits it. */
    maximumPixelsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);
export type EncoderProfile = Static<typeof EncoderProfile>;

export type HardwareProfiles = {
  readonly boards: readonly BoardProfile[];
  readonly cameras: readonly CameraProfile[];
  readonly encoders: readonly EncoderProfile[];
};
