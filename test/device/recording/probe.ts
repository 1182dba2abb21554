/** What ffprobe finds in a file: packets, times, complaints of the decoder. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type ProbedFile = {
  readonly videoPackets: number;
  readonly audioPackets: number;
  readonly startsWithKeyframe: boolean;
  readonly firstVideoMs: number;
  readonly lastVideoMs: number;
  /** The largest distance between two pictures. */
  readonly largestGapMs: number;
  /** Pictures from each keyframe to the next, and from the last one to the end. */
  readonly groups: readonly number[];
  readonly complaints: string;
};

export async function probeFile(path: string): Promise<ProbedFile> {
  const entries = ['-show_entries', 'packet=codec_type,dts_time,flags', '-of', 'json'];
  // GStreamer's edit list ends before the last piece of sound, which is in the file.
  const all = path.endsWith('.mp4') ? ['-ignore_editlist', '1'] : [];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...all, ...entries, path], { maxBuffer: 64e6 });
  type Packet = { codec_type: string; dts_time: string; flags: string };
  const { packets = [] } = JSON.parse(stdout) as { packets?: Packet[] };
  const video = packets.filter(({ codec_type }) => codec_type === 'video');
  const timesMs = video.map(({ dts_time }) => Math.round(Number(dts_time) * 1000));
  // Each picture keeps its own time: counted in thirtieths of a second, those of a busy machine would fall together.
  const asTheyAre = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', path, ...asTheyAre, '-f', 'null', '-'], { maxBuffer: 64e6 });
  return {
    videoPackets: video.length,
    audioPackets: packets.length - video.length,
    startsWithKeyframe: video[0]?.flags.startsWith('K') ?? false,
    firstVideoMs: timesMs[0] ?? Number.NaN,
    lastVideoMs: timesMs.at(-1) ?? Number.NaN,
    groups: groupsOf(video.map(({ flags }) => flags.startsWith('K'))),
    largestGapMs: Math.max(0, ...timesMs.slice(1).map((timeMs, index) => timeMs - (timesMs[index] ?? 0))),
    complaints: stderr,
  };
}

function groupsOf(areKeyframes: readonly boolean[]): number[] {
  const starts = areKeyframes.flatMap((isKeyframe, index) => (isKeyframe ? [index] : []));
  return starts.map((start, index) => (starts[index + 1] ?? areKeyframes.length) - start);
}
