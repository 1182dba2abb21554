/** The stream as somebody at the far side of the relay sees it: ffprobe and ffmpeg, never our own code. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { until } from '../until.ts';

const run = promisify(execFile);
const probeBoundMs = 20_000;

export type ProbedStream = {
  readonly video: { readonly codec: string; readonly width: number; readonly height: number; readonly framesPerSecond: number } | undefined;
  readonly audioCodec: string | undefined;
};

type FfprobeStream = { codec_type: string; codec_name: string; width?: number; height?: number; avg_frame_rate?: string };

export async function probe(address: string): Promise<ProbedStream> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-rw_timeout', '5000000', '-analyzeduration', '2000000', '-show_streams', '-of', 'json', address],
    { timeout: probeBoundMs },
  );
  const { streams } = JSON.parse(stdout) as { streams: readonly FfprobeStream[] };
  const video = streams.find((stream) => stream.codec_type === 'video');
  const [frames = 0, seconds = 1] = (video?.avg_frame_rate ?? '0/1').split('/').map(Number);
  return {
    video: video && {
      codec: video.codec_name,
      width: video.width ?? 0,
      height: video.height ?? 0,
      // Timestamps of RTMP are whole milliseconds, so what is measured over a second or two is a little off.
      framesPerSecond: Math.round(frames / seconds),
    },
    audioCodec: streams.find((stream) => stream.codec_type === 'audio')?.codec_name,
  };
}

export type Recording = {
  /** Ends the recording and answers with its file. */
  finish(): Promise<string>;
};

/** Records what the relay sends, untouched, from when the first of it is written until it is finished. FLV may change its size. */
export async function record(address: string, file: string): Promise<Recording> {
  const child = spawn('ffmpeg', ['-v', 'error', '-y', '-i', address, '-c', 'copy', '-flush_packets', '1', '-f', 'flv', file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  await until('the recording to begin', 15_000, () => statSync(file, { throwIfNoEntry: false })?.size);
  return {
    async finish() {
      child.stdin?.end('q');
      await exited;
      return file;
    },
  };
}

export type Packet = { readonly stream: 'video' | 'audio'; readonly timeS: number; readonly bytes: number };

export async function packets(file: string): Promise<readonly Packet[]> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'packet=codec_type,dts_time,pts_time,size', '-of', 'json', file],
    { timeout: probeBoundMs, maxBuffer: 64 * 1024 * 1024 },
  );
  const answer = JSON.parse(stdout) as {
    packets: readonly { codec_type: 'video' | 'audio'; dts_time?: string; pts_time?: string; size: string }[];
  };
  return answer.packets.map(({ codec_type, dts_time, pts_time, size }) => ({
    stream: codec_type,
    timeS: Number(dts_time ?? pts_time),
    bytes: Number(size),
  }));
}

/** The largest step between two packets of one kind, in seconds; negative steps are kept as they are. */
export function steps(all: readonly Packet[], stream: Packet['stream']): { readonly smallestS: number; readonly largestS: number } {
  const times = all.filter((packet) => packet.stream === stream).map((packet) => packet.timeS);
  const differences = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return { smallestS: Math.min(...differences), largestS: Math.max(...differences) };
}

/** Kilobits a second of the video between two points of the recording. */
export function videoBitrateKbps(all: readonly Packet[], fromS: number, toS: number): number {
  const bytes = all
    .filter(({ stream, timeS }) => stream === 'video' && timeS >= fromS && timeS < toS)
    .reduce((sum, packet) => sum + packet.bytes, 0);
  return (bytes * 8) / 1000 / (toS - fromS);
}
