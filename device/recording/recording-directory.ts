/** The directory of the recordings as it is: what is in it, how full its disk is, and what may be taken out of it. */
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { unfinishedSuffix } from '#device/recording/convert.ts';
import type { DiskRoom } from '#device/recording/disk-room.ts';
import { RecordingIndex } from '#device/recording/recording-index.ts';
import { parseRecordingFile } from '#device/recording/segment-name.ts';
import { stateFile } from '#device/state/state-directory.ts';

/** The list that is kept beside the recordings. */
export const indexFile = stateFile('index.json', RecordingIndex);

/** An empty file of this ending beside a recording keeps it from being deleted. */
export const protectionSuffix = '.keep';

export type FoundFile = { readonly name: string; readonly format: 'flv' | 'mp4'; readonly bytes: number; readonly isProtected: boolean };

export type FoundDirectory = {
  readonly files: readonly FoundFile[];
  /** Of conversions that were not finished. */
  readonly leftovers: readonly string[];
  readonly disk: DiskRoom;
};

/** Null: there is none, or it cannot be read. Files that are no recordings are nobody's business. */
export async function readRecordingDirectory(directory: string): Promise<FoundDirectory | null> {
  try {
    const [names, disk] = await Promise.all([readdir(directory), statfs(directory)]);
    const marks = new Set(names.filter((name) => name.endsWith(protectionSuffix)).map((name) => name.slice(0, -protectionSuffix.length)));
    const files: FoundFile[] = [];
    for (const fileName of names) {
      const parsed = parseRecordingFile(fileName);
      if (parsed === null) continue;
      const found = await stat(join(directory, fileName)).catch(() => null);
      if (found?.isFile()) files.push({ ...parsed, bytes: found.size, isProtected: marks.has(parsed.name) });
    }
    return {
      files: files.filter((file) => !isHalfReplaced(file, files)),
      leftovers: names.filter(
        (name) => name.endsWith(unfinishedSuffix) && parseRecordingFile(name.slice(0, name.indexOf('.') + 4)) !== null,
      ),
      disk: { totalBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize },
    };
  } catch {
    // A disk that is gone, or not there yet: the next look may find it.
    return null;
  }
}

/** While both forms are there the FLV is the recording: the MP4 has not been proven to be all of it. */
function isHalfReplaced(file: FoundFile, files: readonly FoundFile[]): boolean {
  return file.format === 'mp4' && files.some(({ name, format }) => name === file.name && format === 'flv');
}

/** Whatever the paths look like: links, mounts and slashes lead to one place by many names. Rejects where one of them is not there. */
export async function isOnePlace(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path, { bigint: true })));
  return first?.dev === second?.dev && first?.ino === second?.ino;
}

/** Everything of a recording. */
export async function deleteRecording(directory: string, name: string): Promise<void> {
  for (const ending of ['.flv', '.mp4', protectionSuffix]) await rm(join(directory, `${name}${ending}`), { force: true });
}

export async function protectRecording(directory: string, name: string): Promise<void> {
  const handle = await open(join(directory, `${name}${protectionSuffix}`), 'a', 0o600);
  await handle.close();
}

export function isProtected(directory: string, name: string): Promise<boolean> {
  return stat(join(directory, `${name}${protectionSuffix}`)).then(
    () => true,
    () => false,
  );
}

export async function releaseRecording(directory: string, name: string): Promise<void> {
  await rm(join(directory, `${name}${protectionSuffix}`), { force: true });
}
