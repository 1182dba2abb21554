/** Whether recordings can be kept where AV_RECORD_DIR says: it is there, it can be written, and there is room. */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { mayRecord, reservedBytes } from '#device/recording/disk-room.ts';
import { errorText } from '#device/state/state-directory.ts';

const subject = 'recordings';
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

const writeProblems: Readonly<Record<string, string>> = {
  EROFS: 'its disk is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its quota is used up',
  EIO: 'its disk gives errors',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
};

/** The media host makes the directory itself, and none above it: what is to be mounted there may be away. */
export async function checkRecordingDirectory(directory: string): Promise<Check> {
  const place = await nearest(directory);
  if (place === null) {
    return fail(subject, `${directory} is not there, nor the directory above it (AV_RECORD_DIR)`, 'Mount the disk, or correct the path.');
  }
  if (place === 'no directory') return fail(subject, `${directory} is no directory (AV_RECORD_DIR)`, 'Correct the path.');
  const path = join(place, `.makespacelive-doctor-${process.pid}`);
  try {
    const file = await open(path, 'wx', 0o600);
    await file.close();
    await rm(path);
  } catch (cause) {
    const code = errorText(cause);
    return fail(
      subject,
      `${place} cannot be written: ${writeProblems[code] ?? code} (AV_RECORD_DIR)`,
      'Give the agent’s user that directory, or mount its disk for writing; for the service also ReadWritePaths= (docs/operations.md).',
    );
  }
  const { bavail, bsize, blocks } = await statfs(place);
  const room = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  const detail = `${directory} ${place === directory ? 'can be written' : 'can be made'}, ${gigabytes(room.freeBytes)} free`;
  if (mayRecord(room)) return pass(subject, detail);
  const kept = gigabytes(reservedBytes(room.totalBytes));
  return warn(subject, `${detail}, of which ${kept} are kept for the system`, 'Free some space: until then the oldest recordings go.');
}

async function nearest(directory: string): Promise<string | 'no directory' | null> {
  for (const place of [directory, dirname(directory)]) {
    const found = await stat(place).catch(() => null);
    if (found !== null) return found.isDirectory() ? place : 'no directory';
  }
  return null;
}
