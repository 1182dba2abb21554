/** Which recordings have to go so that others have room. Pure. */
import { type DiskRoom, headroomBytes, reservedBytes } from '#device/recording/disk-room.ts';
import { maximumRecordings, type Recording, type RecordingIndex, totalBytes } from '#device/recording/recording-index.ts';
import { compareNames } from '#device/recording/segment-name.ts';

export type Arriving = { readonly name: string; readonly bytes: number };

export type RoomNeed = {
  readonly disk: DiskRoom;
  readonly maximumBytes: number;
  /** A recording that somebody works on at present is not taken from under him. */
  readonly busyName: string | null;
  /** Those that wait elsewhere to be brought here: older ones go for the first of them to which that gives room. */
  readonly arriving?: readonly Arriving[];
};

/** Only recordings before that number go for it, and only where they give it room. */
type Need = { readonly bytes: number; readonly beforeNumber: number };

/** A converted file, and its pictures once more while its tables are put in front. */
export const conversionFactor = 2.1;

/** The oldest first, never a protected one, never one that is being written. Empty: there is room, or nothing may go. */
export function chooseDeletions(index: RecordingIndex, need: RoomNeed): readonly Recording[] {
  const { disk, maximumBytes } = need;
  const wantedFreeBytes = reservedBytes(disk.totalBytes) + headroomBytes(disk.totalBytes);
  const mayGo = ({ isProtected, state, name }: Recording) => !isProtected && state !== 'recording' && name !== need.busyName;
  const deletable = index.recordings.filter(mayGo);
  const hasPlace = ({ bytes, beforeNumber }: Need) =>
    disk.freeBytes + totalBytes(deletable.filter(({ number }) => number < beforeNumber)) >= wantedFreeBytes + bytes;
  const arrival = (need.arriving ?? []).map((arriving) => arrivalNeed(index.recordings, arriving)).find(hasPlace);
  const needs = [arrival, conversionNeed(index.recordings)].filter((it) => it !== undefined).filter(hasPlace);
  const chosen: Recording[] = [];
  // What somebody protected is his own affair: it must not push out what is being recorded now.
  let keptBytes = totalBytes(index.recordings.filter(({ isProtected }) => !isProtected));
  let freeBytes = disk.freeBytes;
  let kept = index.recordings.length;
  for (const recording of deletable) {
    const isEnough = keptBytes <= maximumBytes && freeBytes >= wantedFreeBytes && kept <= maximumRecordings;
    const neededBytes = needs.filter(({ beforeNumber }) => recording.number < beforeNumber).map(({ bytes }) => bytes);
    if (isEnough && freeBytes >= wantedFreeBytes + Math.max(0, ...neededBytes)) break;
    chosen.push(recording);
    keptBytes -= recording.bytes;
    freeBytes += recording.bytes;
    kept -= 1;
  }
  return chosen;
}

/** For a conversion older recordings than itself go, as they would have to soon; newer ones do not. */
function conversionNeed(recordings: readonly Recording[]): Need | undefined {
  const waiting = recordings.find(({ state }) => state === 'waiting');
  return waiting && { bytes: waiting.bytes * conversionFactor, beforeNumber: waiting.number };
}

/** Behind one of a later name a clock was wrong once: which of them is older nobody knows. */
function arrivalNeed(recordings: readonly Recording[], { name, bytes }: Arriving): Need {
  const later = recordings.find((recording) => compareNames(recording.name, name) >= 0);
  return { bytes, beforeNumber: later?.number ?? Number.POSITIVE_INFINITY };
}

export function mayConvert({ totalBytes: diskBytes, freeBytes }: DiskRoom, { bytes }: Recording): boolean {
  return freeBytes > reservedBytes(diskBytes) + headroomBytes(diskBytes) / 2 + bytes * conversionFactor;
}
