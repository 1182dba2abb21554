/** Recordings that were made elsewhere while their disk was away come to it: copied, read again, and only then deleted where they were. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hashFile, unfinishedSuffix } from '#device/recording/convert.ts';
import { type DiskRoom, headroomBytes, reservedBytes } from '#device/recording/disk-room.ts';
import {
  deleteRecording,
  type FoundFile,
  isOnePlace,
  isProtected,
  protectRecording,
  readRecordingDirectory,
  releaseRecording,
} from '#device/recording/recording-directory.ts';
import type { Recording } from '#device/recording/recording-index.ts';
import { maximumNamesakes, recordingName, startOfRecording } from '#device/recording/segment-name.ts';
import { errorText } from '#device/state/state-directory.ts';

export type BroughtRecording = {
  /** What the recording is called there. */
  readonly name: string;
  readonly format: 'flv' | 'mp4';
  readonly bytes: number;
};

export function hasRoomFor({ bytes }: FoundFile, { totalBytes, freeBytes }: DiskRoom): boolean {
  return freeBytes - bytes >= reservedBytes(totalBytes) + headroomBytes(totalBytes);
}

export type Home = {
  readonly directory: string;
  readonly disk: DiskRoom;
  /** Those that are there. */
  readonly recordings: readonly Recording[];
  /** Whether its disk is there at this moment. */
  readonly isThere: () => Promise<boolean>;
  /** Is told what it will be called, before anything of it is there. */
  readonly claim: (name: string) => void;
};

/**
 * Each step is safe to be the last: the original goes when a copy that is the same is on the disk, or one that was that and has been worked on.
 * Null: it was stopped; what was begun is taken up by the next try. Rejects where it cannot be read, or where a disk refuses.
 */
export async function bringOneHome(from: string, file: FoundFile, to: Home, signal: AbortSignal): Promise<BroughtRecording | null> {
  // What lies there is no copy of what lies there: deleting it would leave none.
  if ((await isOnePlace(from, to.directory)) || !(await to.isThere())) return null;
  const hash = await hashFile(from, `${file.name}.${file.format}`, signal);
  if (signal.aborted) return null;
  if (hash === null) throw new Error('it cannot be read');
  const known = to.recordings.find(({ original }) => original?.sha256 === hash)?.name;
  const name = known ?? (await freeName(to.directory, file, hash, signal));
  to.claim(name);
  if (known === undefined) await copyHome(from, file, to, { name, hash, signal });
  if (signal.aborted) return null;
  // A disk may go and come at any moment; a copy that was made beneath its mount point is none.
  if (!(await to.isThere()) || !(await isIn(to.directory, name))) return null;
  if (await isProtected(from, file.name)) {
    await protectRecording(to.directory, name);
    await sync(to.directory);
  }
  try {
    await deleteRecording(from, file.name);
    await sync(from);
  } catch (cause) {
    throw new Error(`it was brought, and cannot be deleted there (${errorText(cause)})`, { cause });
  }
  return { name, format: file.format, bytes: file.bytes };
}

async function isIn(directory: string, name: string): Promise<boolean> {
  const found = await readRecordingDirectory(directory);
  return found?.files.some((file) => file.name === name) ?? false;
}

type CopyWork = { readonly name: string; readonly hash: string; readonly signal: AbortSignal };

/** It may be there already, whole. Where it is stopped it is not. */
async function copyHome(from: string, file: FoundFile, to: Home, { name, hash, signal }: CopyWork): Promise<void> {
  const target = `${name}.${file.format}`;
  if ((await hashFile(to.directory, target, signal)) === hash) return sync(to.directory);
  if (!hasRoomFor(file, to.disk)) throw new Error('there is no room for it');
  const unfinished = `${target}${unfinishedSuffix}`;
  await copy(join(from, `${file.name}.${file.format}`), join(to.directory, unfinished), signal);
  const copied = await hashFile(to.directory, unfinished, signal);
  if (signal.aborted) return;
  if (copied !== hash) throw new Error('its copy is not the same');
  if (await isIn(to.directory, name)) throw new Error('its name is taken meanwhile');
  // Copying takes minutes, in which somebody may protect it, or change his mind. It comes with its protection: beyond a quota one without goes.
  await ((await isProtected(from, file.name)) ? protectRecording : releaseRecording)(to.directory, name);
  await sync(to.directory);
  await rename(join(to.directory, unfinished), join(to.directory, target));
  await sync(to.directory);
}

/** Its own, unless another recording has it; that of a copy that is whole already counts as free. */
async function freeName(directory: string, { name, format }: FoundFile, hash: string, signal: AbortSignal): Promise<string> {
  const there = (await readRecordingDirectory(directory))?.files ?? [];
  const startedAtMs = startOfRecording(name) ?? 0;
  for (const candidate of [name, ...namesakes(startedAtMs)]) {
    const taken = there.filter((file) => file.name === candidate);
    if (taken.length === 0) return candidate;
    if (taken.some((file) => file.format === format) && (await hashFile(directory, `${candidate}.${format}`, signal)) === hash)
      return candidate;
  }
  throw new Error(`expected fewer than ${maximumNamesakes} recordings that begin in one second`);
}

function namesakes(startedAtMs: number): string[] {
  return Array.from({ length: maximumNamesakes - 1 }, (_, index) => recordingName(startedAtMs, index + 2));
}

async function copy(source: string, target: string, signal: AbortSignal): Promise<void> {
  await rm(target, { force: true });
  await pipeline(createReadStream(source), createWriteStream(target, { flags: 'wx', mode: 0o600 }), { signal });
  await sync(target);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
