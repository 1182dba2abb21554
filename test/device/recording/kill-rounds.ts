/** The media host killed again and again while it records, and what each death cost. Used by a test and, with more rounds, by the bench. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { mendSegment } from '#device/recording/mend.ts';
import { compareNames } from '#device/recording/segment-name.ts';
import { until } from '../../until.ts';
import { probeFile } from './probe.ts';

export type Death = {
  /** What was captured last before the death and is not in the file: an upper bound. */
  readonly lostMs: number;
  /** From the death to the next file. */
  readonly awayMs: number;
  readonly frames: number;
  readonly largestGapMs: number;
  readonly groups: readonly number[];
  readonly complaints: string;
};

/** A file is made that long after its first picture, at most: until then the picture waits for the next write. */
const writeIntervalMs = 250;

export async function killAgainAndAgain(
  supervisor: MediaHostSupervisor,
  directory: string,
  pausesMs: readonly number[],
): Promise<readonly Death[]> {
  const recording = () => supervisor.status()?.outputs.find(({ kind }) => kind === 'recording');
  const killedAtMs: number[] = [];
  const names: string[] = [];
  for (const pauseMs of pausesMs) {
    const name = await until('a recording under a new name', 20_000, () => {
      const file = recording()?.recording?.file;
      return file !== null && file !== undefined && !names.includes(file) && file;
    });
    names.push(name);
    await delay(pauseMs);
    const processId = supervisor.processId();
    if (processId === null) throw new Error('expected a media host to kill');
    killedAtMs.push(Date.now());
    process.kill(processId, 'SIGKILL');
    await until('its death', 5_000, () => supervisor.processId() !== processId);
  }
  await until('the next recording', 20_000, async () => (await segmentNames(directory)).length > names.length);
  return Promise.all(killedAtMs.map((atMs, index) => judge(directory, index, atMs)));
}

async function judge(directory: string, index: number, killedAtMs: number): Promise<Death> {
  const names = await segmentNames(directory);
  const path = join(directory, names[index] ?? '');
  const [{ birthtimeMs }, next] = await Promise.all([stat(path), stat(join(directory, names[index + 1] ?? ''))]);
  const { durationMs } = await mendSegment(path);
  const { videoPackets: frames, largestGapMs, groups, complaints } = await probeFile(path);
  return {
    lostMs: Math.round(killedAtMs - birthtimeMs - durationMs + writeIntervalMs),
    awayMs: Math.round(next.birthtimeMs - killedAtMs),
    frames,
    largestGapMs,
    groups,
    complaints,
  };
}

export async function segmentNames(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.flv'));
  return names.toSorted((one, other) => compareNames(one.slice(0, -4), other.slice(0, -4)));
}
