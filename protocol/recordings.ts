/** The recordings on a device's disk, as it lists them when it is asked. */
import { type Static, Type } from 'typebox';
import { Timestamp } from '#protocol/identifiers.ts';

export const RecordingName = Type.String({
  pattern: '^[0-9TZ-]{20,24}$',
  description: 'As the device lists it, such as 2026-11-21T10-00-00Z',
});

/** Recordings a list: fifty take at most 30 kB of a message. */
export const recordingsAtOnce = { most: 50, usual: 20 };

export const ListedRecording = Type.Object({
  /** Grows by one a recording: the order in which they were made, whatever the device's clock said. */
  number: Type.Integer({ minimum: 1 }),
  name: RecordingName,
  format: Type.Enum(['flv', 'mp4']),
  /**
   * recording: being written. written: complete, and not looked through yet. waiting: to be converted to MP4. ready: in its last
   * form. unconvertible: stays FLV, with the reason in `problem`.
   */
  state: Type.Enum(['recording', 'written', 'waiting', 'ready', 'unconvertible']),
  startedAt: Timestamp,
  /** Null until it was looked through. */
  durationMs: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  bytes: Type.Integer({ minimum: 0 }),
  /** Of the file in its last form; null until then. */
  sha256: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
  isProtected: Type.Boolean({ description: 'It is not deleted to make room' }),
  mendedBytes: Type.Integer({
    minimum: 0,
    description: 'Of a half-written end, as a power cut leaves one, that was cut off, and of places that cannot be read; 0: it was whole',
  }),
  problem: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
});
export type ListedRecording = Static<typeof ListedRecording>;

export const RecordingsPage = Type.Object({
  /** The newest first. */
  recordings: Type.Array(ListedRecording, { maxItems: recordingsAtOnce.most }),
  /** These are the ones on the device itself: the disk that was chosen for them is away or refuses. */
  isDiskAway: Type.Optional(Type.Boolean()),
  total: Type.Integer({ minimum: 0, description: 'On the device, whatever was asked for' }),
  /** For `beforeNumber` of the next list; null: there are no older ones. */
  nextBeforeNumber: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
});
export type RecordingsPage = Static<typeof RecordingsPage>;
