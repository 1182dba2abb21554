/**
 * The settings (the AV_* variables): one registry from which validation, the API, the dashboard's form and the documents
 * are drawn. Names and defaults are those that users of the old stream.py know.
 */
import { type Static, Type } from 'typebox';
import { isTimeZone, parseSchedule, scheduleExpected } from '#protocol/schedule.ts';

export const maxValueLength = 2048;

/** A setting's value in its canonical JSON type. Secrets are text. */
export const SettingValue = Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: maxValueLength })]);
export type SettingValue = Static<typeof SettingValue>;

type TextShape = {
  readonly kind: 'text';
  readonly maxLength: number;
  readonly pattern?: RegExp;
  /** What no pattern can ask for. */
  readonly isValid?: (text: string) => boolean;
  /** What is asked for, in words that complete "expected …". */
  readonly expected: string;
};

export type SettingShape =
  | {
      readonly kind: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      /** Only every so many, from the minimum on. */
      readonly step?: number;
    }
  | { readonly kind: 'boolean' }
  | TextShape;

export type SettingDefinition = {
  readonly title: string;
  readonly description: string;
  readonly shape: SettingShape;
  readonly unit?: string;
  /** The value when nobody set one; null where it is detected. */
  readonly default: SettingValue | null;
  /** Never logged, never in an API answer, encrypted at rest. */
  readonly secret: boolean;
  /** False: only the device's own environment may set it (it can name GStreamer elements). */
  readonly remote: boolean;
};

// A stream target may carry no white space, quote or `!`: it is handed to an element's property, never to a pipeline string.
const streamUrl: TextShape = {
  kind: 'text',
  maxLength: 1024,
  pattern: /^rtmps?:\/\/[^\s"'!\\]+$/,
  expected: 'an address such as rtmp://host/application',
};

const schedule: TextShape = {
  kind: 'text',
  maxLength: 512,
  isValid: (text) => parseSchedule(text) !== null,
  expected: scheduleExpected,
};

const streamKey: TextShape = {
  kind: 'text',
  maxLength: 1024,
  pattern: /^[^\s"'!\\]*$/,
  expected: 'text without spaces, quotes, backslashes or "!"',
};

function furtherAddress(number: number) {
  return {
    title: `Stream address ${number}`,
    description: 'A further target: rtmp:// or rtmps://. The same stream goes there too, over a connection of its own.',
    shape: streamUrl,
    default: '',
    secret: false,
    remote: true,
  } as const;
}

function furtherKey(number: number) {
  return {
    title: `Stream key ${number}`,
    description: `Belongs to AV_STREAM_URL_${number}. It can be set and replaced, never read back.`,
    shape: streamKey,
    default: '',
    secret: true,
    remote: true,
  } as const;
}

export const settingDefinitions = {
  AV_STREAM_URL: {
    title: 'Stream address',
    description:
      'Where the device publishes. Unset on a device of a fleet: the relay of that fleet. It is shown to everybody who may look: a fleet server takes ' +
      'none with a user, a password or a query; keys and tokens, with their query, belong into AV_STREAM_KEY.',
    shape: streamUrl,
    default: 'rtmp://10.0.31.212/live',
    secret: false,
    remote: true,
  },
  AV_STREAM_KEY: {
    title: 'Stream key',
    description: 'Joined to the address by a slash. It can be set and replaced, never read back.',
    shape: streamKey,
    default: '',
    secret: true,
    remote: true,
  },
  AV_STREAM_URL_2: furtherAddress(2),
  AV_STREAM_KEY_2: furtherKey(2),
  AV_STREAM_URL_3: furtherAddress(3),
  AV_STREAM_KEY_3: furtherKey(3),
  AV_STREAM_URL_4: furtherAddress(4),
  AV_STREAM_KEY_4: furtherKey(4),
  AV_STREAM_URL_5: furtherAddress(5),
  AV_STREAM_KEY_5: furtherKey(5),
  AV_STREAM_URL_6: furtherAddress(6),
  AV_STREAM_KEY_6: furtherKey(6),
  AV_STREAM_URL_7: furtherAddress(7),
  AV_STREAM_KEY_7: furtherKey(7),
  AV_STREAM_URL_8: furtherAddress(8),
  AV_STREAM_KEY_8: furtherKey(8),
  AV_STREAM_URL_9: furtherAddress(9),
  AV_STREAM_KEY_9: furtherKey(9),
  AV_ICECAST_URL: {
    title: 'Icecast address',
    description: 'The sound goes there too, as Ogg/Vorbis. The address holds the password: it can be set and replaced, never read back.',
    shape: {
      kind: 'text',
      maxLength: 1024,
      pattern: /^icecast:\/\/[^\s"'!\\/@:]+:[^\s"'!\\/@]+@[^\s"'!\\/@]+\/[^\s"'!\\]+$/,
      expected: 'an address such as icecast://source:password@host:8000/mount',
    },
    default: '',
    secret: true,
    remote: true,
  },
  AV_ROOM_NAME: {
    title: 'Room name',
    description:
      'Shown on the card that is on air while the camera gives no picture, and told to listeners of AV_ICECAST_URL. Unset: the device’s host name.',
    shape: { kind: 'text', maxLength: 100, expected: 'a name of at most 100 characters' },
    default: null,
    secret: false,
    remote: true,
  },
  AV_DISABLE_AUDIO: {
    title: 'Audio off',
    description: 'Publishes video alone.',
    shape: { kind: 'boolean' },
    default: false,
    secret: false,
    remote: true,
  },
  AV_AUDIO_SAMPLING_RATE: {
    title: 'Audio sampling rate',
    description: 'The rate asked of the microphone. A Logitech C270 wants 32000.',
    shape: { kind: 'integer', minimum: 8000, maximum: 48000 },
    unit: 'Hz',
    default: 16000,
    secret: false,
    remote: true,
  },
  AV_AUDIO_DEVICE: {
    title: 'Microphone',
    description: 'An ALSA card number, hw:2,0, or the name of a detected microphone. Unset: the camera’s own, else the first found.',
    shape: {
      kind: 'text',
      maxLength: 128,
      pattern: /^[A-Za-z0-9 _.:,=()+-]+$/,
      expected: 'a card number, hw:CARD,DEVICE or a microphone’s name',
    },
    default: null,
    secret: false,
    remote: true,
  },
  AV_AUDIO_BITRATE: {
    title: 'Audio bitrate',
    description: 'Below 1000 it is read as kbit/s, from 1000 on as bit/s.',
    shape: { kind: 'integer', minimum: 16, maximum: 320000 },
    unit: 'kbit/s',
    default: 128,
    secret: false,
    remote: true,
  },
  AV_VIDEO_SOURCE: {
    title: 'Camera',
    description:
      'A device path, the id of a detected camera, test for the test picture, or file:NAME for a video in the device’s media folder, which plays in a loop. Unset: the first camera found.',
    shape: {
      kind: 'text',
      maxLength: 512,
      expected: 'a device path such as /dev/video0, a camera’s id, "test", or "file:" and the name of a video',
    },
    default: null,
    secret: false,
    remote: true,
  },
  AV_VIDEO_WIDTH: {
    title: 'Width',
    description: 'Width of the picture.',
    shape: { kind: 'integer', minimum: 160, maximum: 3840 },
    unit: 'px',
    default: 1280,
    secret: false,
    remote: true,
  },
  AV_VIDEO_HEIGHT: {
    title: 'Height',
    description: 'Height of the picture.',
    shape: { kind: 'integer', minimum: 90, maximum: 2160 },
    unit: 'px',
    default: 720,
    secret: false,
    remote: true,
  },
  AV_VIDEO_FRAMERATE: {
    title: 'Frame rate',
    description: 'Frames a second.',
    shape: { kind: 'integer', minimum: 1, maximum: 60 },
    unit: '1/s',
    default: 30,
    secret: false,
    remote: true,
  },
  AV_VIDEO_ROTATE: {
    title: 'Rotation',
    description: 'Turns the picture clockwise, for a camera that hangs upside down or on its side; 90 and 270 swap width and height.',
    shape: { kind: 'integer', minimum: 0, maximum: 270, step: 90 },
    unit: '°',
    default: 0,
    secret: false,
    remote: true,
  },
  AV_VIDEO_BITRATE: {
    title: 'Video bitrate',
    description: 'What the encoder aims at. Changes while the stream runs.',
    shape: { kind: 'integer', minimum: 100, maximum: 20000 },
    unit: 'kbit/s',
    default: 2500,
    secret: false,
    remote: true,
  },
  AV_ADAPTIVE_BITRATE: {
    title: 'Bitrate follows the uplink',
    description: 'Where the network carries less than the video bitrate, the encoder gives less, and more again when it can.',
    shape: { kind: 'boolean' },
    default: true,
    secret: false,
    remote: true,
  },
  AV_VIDEO_BITRATE_MIN: {
    title: 'Least video bitrate',
    description: 'The bitrate goes no lower to suit the uplink. Below that, pictures are left out.',
    shape: { kind: 'integer', minimum: 100, maximum: 20000 },
    unit: 'kbit/s',
    default: 400,
    secret: false,
    remote: true,
  },
  AV_KEYFRAME_INTERVAL: {
    title: 'Keyframe interval',
    description: 'Seconds between two keyframes. YouTube and Twitch want 2.',
    shape: { kind: 'integer', minimum: 1, maximum: 10 },
    unit: 's',
    default: 2,
    secret: false,
    remote: true,
  },
  AV_H264_ENCODER_PARAMS: {
    title: 'Encoder parameters',
    description: 'Further properties of the encoder in use, as name=value pairs with spaces between them.',
    shape: { kind: 'text', maxLength: 512, pattern: /^[A-Za-z0-9=_. +-]*$/, expected: 'name=value pairs with spaces between them' },
    default: '',
    secret: false,
    remote: true,
  },
  AV_PREVIEW_INTERVAL: {
    title: 'Preview interval',
    description: 'Seconds between two preview pictures in the dashboard; 0 turns them off.',
    shape: { kind: 'integer', minimum: 0, maximum: 60 },
    unit: 's',
    default: 5,
    secret: false,
    remote: true,
  },
  AV_STREAM_SCHEDULE: {
    title: 'Streaming hours',
    description: 'When the device streams, such as Mo-Fr 09:00-17:30; Sa 10:00-12:00. Kept on the device. Unset: always.',
    shape: schedule,
    default: '',
    secret: false,
    remote: true,
  },
  AV_RECORD_SCHEDULE: {
    title: 'Recording hours',
    description: 'When the device records, in the same words. Unset: always, if it records at all.',
    shape: schedule,
    default: '',
    secret: false,
    remote: true,
  },
  AV_TIME_ZONE: {
    title: 'Time zone',
    description: 'Where the hours of the schedules are read, such as Europe/Berlin. Unset: the device’s own.',
    shape: {
      kind: 'text',
      maxLength: 64,
      pattern: /^[A-Za-z0-9_+/-]+$/,
      isValid: isTimeZone,
      expected: 'a time zone’s name such as Europe/Berlin',
    },
    default: '',
    secret: false,
    remote: true,
  },
  AV_RECORD: {
    title: 'Record on the device',
    description: 'Keeps what is streamed on the device’s own disk, whatever the network does.',
    shape: { kind: 'boolean' },
    default: false,
    secret: false,
    remote: true,
  },
  AV_RECORD_MAX_GB: {
    title: 'Room for recordings',
    description:
      'Beyond this the oldest recording is deleted; protected ones stay and do not count. A twentieth of the disk stays free in any case.',
    shape: { kind: 'integer', minimum: 1, maximum: 100_000 },
    unit: 'GB',
    default: 20,
    secret: false,
    remote: true,
  },
  AV_RECORD_SEGMENT: {
    title: 'Length of a recording’s files',
    description: 'A new file begins after so many minutes, or 3.5 GB, without a gap.',
    shape: { kind: 'integer', minimum: 1, maximum: 60 },
    unit: 'min',
    default: 10,
    secret: false,
    remote: true,
  },
  AV_RECORD_DIR: {
    title: 'Directory of the recordings',
    description: 'Unset: recordings in the state directory. Only from the device’s own environment.',
    shape: {
      kind: 'text',
      maxLength: 512,
      pattern: /^\/(?!(?:.*\/)?\.\.?(?:\/|$)).+$/,
      expected: 'an absolute path without . or .. in it',
    },
    default: null,
    secret: false,
    remote: false,
  },
  AV_ALLOW_REBOOT: {
    title: 'Board may be restarted',
    description:
      'Lets the agent restart the board, once an hour at most, when neither a new media host nor a new agent has brought the stream back. Only from the device’s own environment.',
    shape: { kind: 'boolean' },
    default: false,
    secret: false,
    remote: false,
  },
  AV_AUDIO_SRC: {
    title: 'Audio source element',
    description: 'A GStreamer audio source. Only from the device’s own environment.',
    shape: { kind: 'text', maxLength: 512, expected: 'a GStreamer source element' },
    default: '',
    secret: false,
    remote: false,
  },
  AV_H264_PARSER_PARAMS: {
    title: 'H.264 parser parameters',
    description: 'Properties of h264parse. Only from the device’s own environment.',
    shape: { kind: 'text', maxLength: 512, expected: 'name=value pairs' },
    default: '',
    secret: false,
    remote: false,
  },
} as const satisfies Record<string, SettingDefinition>;

export type SettingKey = keyof typeof settingDefinitions;

export const settingKeys = Object.keys(settingDefinitions) as readonly SettingKey[];

export function isSettingKey(name: string): name is SettingKey {
  return Object.hasOwn(settingDefinitions, name);
}

/** Keys and values as set by somebody at one level, or merged; a key that nobody set is absent. */
export type SettingValues = { readonly [K in SettingKey]?: SettingValue };

const wireKeyPattern = /^AV_[A-Z0-9_]{1,60}$/;
const WireKey = Type.String({ pattern: wireKeyPattern.source });

/** On the wire a newer peer may send keys that this side does not know: they are let through and reported. */
export const WireSettings = Type.Record(WireKey, SettingValue, { maxProperties: 200 });
export type WireSettings = Static<typeof WireSettings>;

/** As they come: whatever stands where a value should is a fault of its key, not of the whole message. */
export const UnjudgedSettings = Type.Record(WireKey, Type.Unknown(), { maxProperties: 200 });
export type UnjudgedSettings = Static<typeof UnjudgedSettings>;

export function isWireKey(name: string): boolean {
  return wireKeyPattern.test(name);
}

/** Whether it can be some setting's value. */
export function isSettingValue(value: unknown): value is SettingValue {
  if (typeof value === 'string') return value.length <= maxValueLength;
  return typeof value === 'number' || typeof value === 'boolean';
}

/** Where a value in force comes from, weakest first. `relay`: the address and key that the fleet server gave to the device. */
export const settingLevels = ['default', 'relay', 'board-profile', 'camera-profile', 'environment', 'fleet', 'group', 'device'] as const;
export const SettingLevel = Type.Enum([...settingLevels]);
export type SettingLevel = (typeof settingLevels)[number];

export type SettingProblem = { readonly key: string; readonly expected: string; readonly came: string };
export type ParsedSetting =
  | { readonly kind: 'value'; readonly value: SettingValue }
  | { readonly kind: 'unset' }
  | { readonly kind: 'problem'; readonly problem: SettingProblem };

const trueWords: readonly string[] = ['1', 'true', 'yes', 'on'];
const falseWords: readonly string[] = ['0', 'false', 'no', 'off'];
const shownCharacters = 60;

/** "160 to 3840", or with steps "0 to 270 in steps of 90". */
export function describeRange({ minimum, maximum, step }: Extract<SettingShape, { readonly kind: 'integer' }>): string {
  return `${minimum} to ${maximum}${step === undefined ? '' : ` in steps of ${step}`}`;
}

/** What came, short enough for a message; never shown for secrets. Of an address only what cannot be a password or a key. */
export function describeValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(addressWithoutSecrets(value)) : String(JSON.stringify(value));
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}… (${text.length} characters)` : text;
}

/** People put passwords and stream keys into addresses: what follows the host is left out, and whoever stands before it. */
export function addressWithoutSecrets(text: string): string {
  const [, before = '', authority = '', rest = ''] = /^(.*?:\/\/)([^/?#]*)(.*)$/s.exec(text) ?? [];
  if (before === '') return text;
  // A name or a password with a slash in it is not told from a host.
  if (rest.includes('@')) return `${before}…`;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return `${before}${authority === host ? '' : '…@'}${host}${rest.length <= 1 ? rest : '/…'}`;
}

/**
 * Reads one value from the environment, the API or the wire into its canonical type.
 * Text that is empty counts as unset, except where the empty text is the default.
 */
export function parseSetting(key: SettingKey, raw: unknown): ParsedSetting {
  const definition: SettingDefinition = settingDefinitions[key];
  const { shape } = definition;
  const refuse = (expected: string): ParsedSetting => ({
    kind: 'problem',
    problem: { key, expected, came: definition.secret ? 'a secret that is not shown' : describeValue(raw) },
  });
  if (raw === null || raw === undefined || raw === '') return { kind: 'unset' };
  switch (shape.kind) {
    case 'integer': {
      const unit = definition.unit === undefined ? '' : ` (${definition.unit})`;
      const expected = `a whole number from ${describeRange(shape)}${unit}`;
      const isNumeral = typeof raw === 'number' || (typeof raw === 'string' && /^-?\d{1,9}$/.test(raw.trim()));
      const value = Number(raw);
      if (!isNumeral || !Number.isInteger(value) || value < shape.minimum || value > shape.maximum) return refuse(expected);
      if (shape.step !== undefined && (value - shape.minimum) % shape.step !== 0) return refuse(expected);
      return { kind: 'value', value };
    }
    case 'boolean': {
      const word = typeof raw === 'object' ? '' : String(raw).trim().toLowerCase();
      if (trueWords.includes(word)) return { kind: 'value', value: true };
      if (falseWords.includes(word)) return { kind: 'value', value: false };
      return refuse('1, true, yes, on, 0, false, no or off');
    }
    case 'text': {
      const text = typeof raw === 'number' ? String(raw) : raw;
      if (typeof text !== 'string') return refuse(shape.expected);
      if (text.length > shape.maxLength) return refuse(`at most ${shape.maxLength} characters`);
      if (/\p{Cc}/u.test(text)) return refuse('text on one line, without control characters');
      if (shape.pattern !== undefined && !shape.pattern.test(text)) return refuse(shape.expected);
      if (shape.isValid !== undefined && !shape.isValid(text)) return refuse(shape.expected);
      return { kind: 'value', value: text };
    }
    default:
      return shape satisfies never;
  }
}

/** Bits a second behind AV_AUDIO_BITRATE: below 1000 the figure is kbit/s (stream.py passed kbit/s on as bit/s). */
export function audioBitsPerSecond(value: number): number {
  return value < 1000 ? value * 1000 : value;
}
