/**
 * The list of recordings. The files are the truth, the list remembers what would take long to find out again, and the order
 * in which they were made, which a clock that was set back would turn over. Pure.
 */
import { type Static, Type } from 'typebox';
import { compareNames, startOfRecording } from '#device/recording/segment-name.ts';

/** With files of a minute this is a week without pause; beyond it the oldest go, as for want of room. */
export const maximumRecordings = 10_000;

export const Original = Type.Object({ bytes: Type.Integer({ minimum: 0 }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) });
export type Original = Static<typeof Original>;

export const Recording = Type.Object({
  /** Grows by one a recording: the order in which they were made, whatever the clock said. */
  number: Type.Integer({ minimum: 1 }),
  name: Type.String({ pattern: '^[0-9TZ-]{20,24}$' }),
  format: Type.Enum(['flv', 'mp4']),
  /**
   * recording: being written. written: complete, and nobody has looked into it yet. waiting: looked through, to be converted.
   * ready: in its last form. unconvertible: stays FLV, with the reason in `problem`.
   */
  state: Type.Enum(['recording', 'written', 'waiting', 'ready', 'unconvertible']),
  startedAt: Type.String({ maxLength: 40 }),
  bytes: Type.Integer({ minimum: 0 }),
  durationMs: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  frames: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  sounds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  sha256: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
  isProtected: Type.Boolean(),
  /** Of a half-written end that was cut off, and of places that cannot be read; absent: it was whole. */
  mendedBytes: Type.Optional(Type.Integer({ minimum: 1 })),
  /** What it was when it was brought here, where that could not be deleted on the device before it was worked on here. */
  original: Type.Optional(Original),
  attempts: Type.Integer({ minimum: 0 }),
  problem: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
});
export type Recording = Static<typeof Recording>;

export const RecordingIndex = Type.Object({
  nextNumber: Type.Integer({ minimum: 1 }),
  recordings: Type.Array(Recording, { maxItems: maximumRecordings * 2 }),
});
export type RecordingIndex = Static<typeof RecordingIndex>;

export const emptyIndex: RecordingIndex = { nextNumber: 1, recordings: [] };

/** A recording as the directory shows it. */
export type SeenRecording = {
  readonly name: string;
  readonly format: 'flv' | 'mp4';
  readonly bytes: number;
  readonly isProtected: boolean;
  /** Nobody writes it any more. */
  readonly isComplete: boolean;
};

/** The list after a look into the directory: what is gone goes, what is new gets the next numbers in the order of the names. */
export function reconcile(
  index: RecordingIndex,
  seen: readonly SeenRecording[],
  busyNames: ReadonlySet<string | null> = new Set(),
): RecordingIndex {
  const known = new Map(index.recordings.map((recording) => [recording.name, recording]));
  let { nextNumber } = index;
  const recordings = seen
    .toSorted((one, other) => compareNames(one.name, other.name))
    .map((file) => {
      const recording = known.get(file.name);
      // Of a recording that was worked on during the look, whoever works on it knows more.
      if (recording !== undefined && busyNames.has(file.name)) return recording;
      if (recording !== undefined && recording.format === file.format) return updated(recording, file);
      const number = recording?.number ?? nextNumber++;
      const { mendedBytes, original } = recording ?? {};
      return {
        ...fresh(number, file),
        ...(mendedBytes === undefined ? {} : { mendedBytes }),
        ...(original === undefined ? {} : { original }),
      };
    });
  return { nextNumber, recordings: recordings.toSorted((one, other) => one.number - other.number) };
}

/**
 * One that was made elsewhere stands behind the last of those that were begun before it: of that order only the names know. Where a clock was wrong once
 * that is rather too late than too early: the first is the next to be deleted.
 */
export function withPlaceByName(index: RecordingIndex, name: string): RecordingIndex {
  const moved = index.recordings.find((recording) => recording.name === name);
  const others = index.recordings.filter((recording) => recording !== moved);
  const place = others.findLastIndex((recording) => compareNames(recording.name, name) < 0) + 1;
  const later = others[place];
  if (moved === undefined || later === undefined || moved.number < later.number) return index;
  const shifted = others.slice(place).map((recording) => ({ ...recording, number: recording.number + 1 }));
  return { nextNumber: index.nextNumber + 1, recordings: [...others.slice(0, place), { ...moved, number: later.number }, ...shifted] };
}

function updated(recording: Recording, { bytes, isProtected, isComplete }: SeenRecording): Recording {
  if (recording.state === 'recording') return { ...recording, bytes, isProtected, state: isComplete ? 'written' : 'recording' };
  // Whoever changed a finished file has made another of it.
  if (bytes !== recording.bytes) {
    const { original, ...changed } = recording;
    const isCopy = original !== undefined && (recording.state === 'written' || recording.state === 'waiting');
    const kept = isCopy ? { original } : {};
    return { ...changed, ...kept, bytes, isProtected, state: 'written', sha256: null, attempts: 0, problem: null };
  }
  return { ...recording, isProtected };
}

function fresh(number: number, { name, format, bytes, isProtected, isComplete }: SeenRecording): Recording {
  return {
    number,
    name,
    format,
    state: isComplete ? 'written' : 'recording',
    startedAt: new Date(startOfRecording(name) ?? 0).toISOString(),
    bytes,
    durationMs: null,
    frames: null,
    sounds: null,
    sha256: null,
    isProtected,
    attempts: 0,
    problem: null,
  };
}

export function withRecording(index: RecordingIndex, changed: Recording): RecordingIndex {
  return { ...index, recordings: index.recordings.map((recording) => (recording.name === changed.name ? changed : recording)) };
}

export function withoutRecordings(index: RecordingIndex, names: ReadonlySet<string>): RecordingIndex {
  return { ...index, recordings: index.recordings.filter(({ name }) => !names.has(name)) };
}

/** For the disk: the size of what is being written changes all the time, and is no reason to write the list anew. */
export function withoutGrowth(index: RecordingIndex): RecordingIndex {
  return {
    ...index,
    recordings: index.recordings.map((recording) => (recording.state === 'recording' ? { ...recording, bytes: 0 } : recording)),
  };
}

/** What is to be done next with a recording: looked into before anything is converted, the oldest first for which there is room. */
export function nextWork({ recordings }: RecordingIndex, mayConvert: (recording: Recording) => boolean): Recording | null {
  const written = recordings.find(({ state }) => state === 'written');
  return written ?? recordings.find((recording) => recording.state === 'waiting' && mayConvert(recording)) ?? null;
}

export function totalBytes(recordings: readonly Recording[]): number {
  return recordings.reduce((sum, { bytes }) => sum + bytes, 0);
}
