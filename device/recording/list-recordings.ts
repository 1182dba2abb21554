/** The recordings of a directory as the agent knows them, and the files for what it does not know yet. Nothing is written: the list is the agent's. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FoundDirectory, indexFile, readRecordingDirectory } from '#device/recording/recording-directory.ts';
import { emptyIndex, type Recording, type RecordingIndex, reconcile } from '#device/recording/recording-index.ts';
import { type ListedRecording, type RecordingsPage, recordingsAtOnce } from '#protocol/recordings.ts';

export type KnownRecordings = { readonly directory: string; readonly found: FoundDirectory; readonly recordings: readonly Recording[] };

/** In the order in which they were made. Null: there is no directory, or it may not be read. */
export async function readRecordings(directory: string): Promise<KnownRecordings | null> {
  const found = await readRecordingDirectory(directory);
  if (found === null) return null;
  const known = parse(await readFile(join(directory, indexFile.name), 'utf8').catch(() => ''));
  // What the agent calls being written, it alone can call complete.
  const writing = new Set(known.recordings.filter(({ state }) => state === 'recording').map(({ name }) => name));
  const seen = found.files.map((file) => ({ ...file, isComplete: !writing.has(file.name) }));
  return { directory, found, recordings: reconcile(known, seen).recordings };
}

export type PageWish = { readonly beforeNumber?: number; readonly limit?: number };

/** The newest of those before a number, or of all. */
export function pageOf(recordings: readonly Recording[], { beforeNumber, limit = recordingsAtOnce.usual }: PageWish): RecordingsPage {
  const older = recordings.filter(({ number }) => beforeNumber === undefined || number < beforeNumber).toReversed();
  const shown = older.slice(0, Math.min(limit, recordingsAtOnce.most));
  return {
    recordings: shown.map(toListed),
    total: recordings.length,
    nextBeforeNumber: older.length > shown.length ? (shown.at(-1)?.number ?? null) : null,
  };
}

function toListed(recording: Recording): ListedRecording {
  const { number, name, format, state, startedAt, durationMs, bytes, sha256, isProtected, mendedBytes = 0, problem } = recording;
  return {
    number,
    name,
    format,
    state,
    startedAt,
    durationMs,
    bytes,
    sha256,
    isProtected,
    mendedBytes,
    problem: problem?.slice(0, 200) ?? null,
  };
}

function parse(content: string): RecordingIndex {
  try {
    const value: unknown = JSON.parse(content);
    return indexFile.check(value) ? value : emptyIndex;
  } catch {
    return emptyIndex;
  }
}
