/**
 * A finished segment becomes an MP4 file with its tables in front, without being encoded again, in a process of its own: what
 * crashes there harms nothing. The FLV goes only when the MP4 is proven to hold all of it, and is on the disk.
 */
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LowPriorityOutcome, runAtLowPriority } from '#device/recording/low-priority.ts';
import { type Mp4Facts, readMp4Facts } from '#device/recording/mp4-facts.ts';

/** Of files that a conversion has not finished: whoever finds one may delete it. */
export const unfinishedSuffix = '.part';

export type ConvertedFrom = { readonly name: string; readonly frames: number; readonly sounds: number; readonly durationMs: number };

export type ConversionOutcome =
  | { readonly kind: 'converted'; readonly bytes: number; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stopped' };

export type ConversionWork = {
  readonly directory: string;
  readonly segment: ConvertedFrom;
  /** Names of unfinished files are never used twice: the child of an agent that was killed may still write to its own. */
  readonly attemptId: string;
  readonly signal: AbortSignal;
};

/** Of work on one file: a slow board with a slow card takes less than this for an hour of 20 Mbit/s. */
const boundMs = 30 * 60_000;
/** The last picture has a length in MP4 and none in FLV, and sound ends where it ends. */
const durationToleranceMs = 500;

export async function convertSegment({ directory, segment, attemptId, signal }: ConversionWork): Promise<ConversionOutcome> {
  const target = `${segment.name}.mp4`;
  const former = await readMp4Facts(join(directory, target)).catch(() => null);
  // A conversion that was interrupted between its last two steps.
  if (former !== null && lossOf(segment, former) === null) return finish(directory, segment, former, null);
  const unfinished = `${target}.${attemptId}${unfinishedSuffix}`;
  const tables = `${target}.${attemptId}-tables${unfinishedSuffix}`;
  try {
    const outcome = await remux(directory, segment, { unfinished, tables, signal });
    if (outcome.kind === 'stopped') return outcome;
    if (outcome.kind === 'failed') return outcome;
    const found = await readMp4Facts(join(directory, unfinished));
    if (found === null) return { kind: 'failed', reason: 'the converted file has no tables' };
    const loss = lossOf(segment, found);
    return loss === null ? await finish(directory, segment, found, unfinished) : { kind: 'failed', reason: loss };
  } catch (cause) {
    return { kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    for (const name of [unfinished, tables]) await rm(join(directory, name), { force: true }).catch(() => undefined);
  }
}

type Names = { readonly unfinished: string; readonly tables: string; readonly signal: AbortSignal };

function remux(directory: string, { name, sounds }: ConvertedFrom, { unfinished, tables, signal }: Names): Promise<LowPriorityOutcome> {
  const source = ['filesrc', `location=${name}.flv`, '!', 'flvdemux', 'name=demux'];
  const target = ['mp4mux', 'name=mux', 'faststart=true', `faststart-file=${tables}`, '!', 'filesink', `location=${unfinished}`];
  const picture = ['demux.video', '!', 'queue', '!', 'h264parse', '!', 'mux.'];
  const sound = sounds === 0 ? [] : ['demux.audio', '!', 'queue', '!', 'aacparse', '!', 'mux.'];
  return runAtLowPriority({ command: ['gst-launch-1.0', '-q', ...source, ...target, ...picture, ...sound], directory, signal, boundMs });
}

/** Null: everything is there. */
function lossOf(segment: ConvertedFrom, found: Mp4Facts): string | null {
  if (!found.isWhole) return 'the converted file is cut off';
  const samples = (kind: 'video' | 'audio') => found.tracks.find((track) => track.kind === kind)?.samples ?? 0;
  if (samples('video') !== segment.frames) return `expected ${segment.frames} pictures in the converted file, found ${samples('video')}`;
  if (samples('audio') !== segment.sounds)
    return `expected ${segment.sounds} pieces of sound in the converted file, found ${samples('audio')}`;
  const pictureMs = segment.durationMs / Math.max(1, segment.frames - 1);
  if (Math.abs(found.durationMs - segment.durationMs) > durationToleranceMs + pictureMs) {
    return `expected ${segment.durationMs} ms in the converted file, found ${found.durationMs} ms`;
  }
  return found.isFastStart ? null : 'the converted file has its tables at its end';
}

/** Each step is safe to be the last: the FLV goes when its successor has its name, and both are on the disk. */
async function finish(
  directory: string,
  { name }: ConvertedFrom,
  { durationMs }: Mp4Facts,
  unfinished: string | null,
): Promise<ConversionOutcome> {
  const target = join(directory, `${name}.mp4`);
  if (unfinished !== null) {
    // What was streamed is not for every user of the machine; a disk without modes (FAT) has nothing to set.
    await chmod(join(directory, unfinished), 0o600).catch(() => undefined);
    await syncPath(join(directory, unfinished));
    await rename(join(directory, unfinished), target);
  }
  await syncPath(directory);
  await rm(join(directory, `${name}.flv`), { force: true });
  return { kind: 'converted', bytes: (await stat(target)).size, durationMs };
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** By the system's own program: on a small board a gigabyte takes a minute, which is not the agent's to spend. */
export async function hashFile(directory: string, fileName: string, signal: AbortSignal): Promise<string | null> {
  const outcome = await runAtLowPriority({ command: ['sha256sum', '-b', fileName], directory, signal, boundMs });
  return outcome.kind === 'done' ? (/^[0-9a-f]{64}/.exec(outcome.output)?.[0] ?? null) : null;
}
