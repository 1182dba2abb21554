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

/** A converted file, and its pictures once more while its tables are put in front. */
export const conversionFactor = 2.1;

/** The oldest first, never a protected one, never one that is being written. Empty: there is room, or nothing may go. */
export function chooseDeletions(index: RecordingIndex, need: RoomNeed): readonly Recording[] {
  const { disk, maximumBytes } = need;
  const wantedFreeBytes = reservedBytes(disk.totalBytes) + headroomBytes(disk.totalBytes);
  const conversion = index.recordings.find(({ state }) => state === 'waiting');
  const mayGo = ({ isProtected, state, name }: Recording) => !isProtected && state !== 'recording' && name !== need.busyName;
  const arriving = (need.arriving ?? [])
    .map(({ name, bytes }) => ({ bytes, older: olderThan(index.recordings, name).filter(mayGo) }))
    .find(({ bytes, older }) => disk.freeBytes + totalBytes(older) >= wantedFreeBytes + bytes);
  const goForArriving = new Set(arriving?.older);
  const chosen: Recording[] = [];
  // What somebody protected is his own affair: it must not push out what is being recorded now.
  let keptBytes = totalBytes(index.recordings.filter(({ isProtected }) => !isProtected));
  let freeBytes = disk.freeBytes;
  let kept = index.recordings.length;
  for (const recording of index.recordings) {
    if (!mayGo(recording)) continue;
    const isEnough = keptBytes <= maximumBytes && freeBytes >= wantedFreeBytes && kept <= maximumRecordings;
    // For a conversion older recordings than itself go, as they would have to soon; newer ones do not.
    const isOlder = conversion !== undefined && recording.number < conversion.number;
    const conversionBytes = isOlder ? conversion.bytes * conversionFactor : 0;
    const arrivingBytes = arriving !== undefined && goForArriving.has(recording) ? arriving.bytes : 0;
    if (isEnough && freeBytes >= wantedFreeBytes + Math.max(conversionBytes, arrivingBytes)) break;
    chosen.push(recording);
    keptBytes -= recording.bytes;
    freeBytes += recording.bytes;
    kept -= 1;
  }
  return chosen;
}

/** Behind one of a later name a clock was wrong once: which of them is older nobody knows. */
function olderThan(recordings: readonly Recording[], name: string): readonly Recording[] {
  const end = recordings.findIndex((recording) => compareNames(recording.name, name) >= 0);
  return end === -1 ? recordings : recordings.slice(0, end);
}

export function mayConvert({ totalBytes: diskBytes, freeBytes }: DiskRoom, { bytes }: Recording): boolean {
  return freeBytes > reservedBytes(diskBytes) + headroomBytes(diskBytes) / 2 + bytes * conversionFactor;
}
