/**
 * A camera is pulled out of a running stream and plugged in again, watched from the far side of the relay. How that is done
 * is the caller's business: a source over TCP here, `rmmod` and `modprobe` or a USB port's switch elsewhere.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packets, record, steps } from '../../e2e/far-side.ts';
import { timeUntil, until } from '../../until.ts';
import type { Plug } from './pluggable-source.ts';

const run = promisify(execFile);

export type HotPlugBench = {
  readonly plug: Plug;
  /** The stream at the relay, as a player opens it. */
  readonly address: string;
  /** For the recording. */
  readonly folder: string;
  /** What the device says of itself: `running`, `no-signal` … */
  readonly mediaKind: () => string | undefined;
  /** Frames that have left the encoder. */
  readonly frames: () => number;
};

export type HotPlugResult = {
  /** From the pulling until the device says that the card is on air. */
  readonly cardAfterMs: number;
  /** From the plugging until the device says that the camera is. */
  readonly backAfterMs: number;
  /** Between two packets of one kind at the far side; the smallest below zero is a step back. */
  readonly longestGapS: number;
  readonly smallestStepS: number;
  /** What a decoder of all of it has to say. */
  readonly complaints: string;
};

const framesOfCamera = 60;
const framesOfCard = 90;
const boundMs = 30_000;

export async function pullAndPlug(bench: HotPlugBench): Promise<HotPlugResult> {
  const { plug, mediaKind, address, folder } = bench;
  const recording = await record(address, join(folder, 'hot-plug.flv'));
  await untilMoreFrames(bench, framesOfCamera);
  await plug.unplug();
  const cardAfterMs = await timeUntil('the card', boundMs, () => mediaKind() === 'no-signal');
  await untilMoreFrames(bench, framesOfCard);
  await plug.plug();
  const backAfterMs = await timeUntil('the camera', boundMs, () => mediaKind() === 'running');
  await untilMoreFrames(bench, framesOfCamera);
  const file = await recording.finish();
  const all = await packets(file);
  const both = (['video', 'audio'] as const).map((stream) => steps(all, stream));
  return {
    cardAfterMs,
    backAfterMs,
    longestGapS: Math.max(...both.map(({ largestS }) => largestS)),
    smallestStepS: Math.min(...both.map(({ smallestS }) => smallestS)),
    complaints: await decode(file),
  };
}

async function untilMoreFrames({ frames }: HotPlugBench, count: number): Promise<void> {
  const before = frames();
  await until(`${count} frames more`, boundMs, () => frames() >= before + count);
}

/**
 * Every picture and every sound of the file; empty where nothing is wrong with any. Of the times, which the packets themselves
 * tell, ffmpeg's null muxer makes whole frames of a thirtieth of a second and complains where two fall into one.
 */
export async function decode(file: string): Promise<string> {
  const { stderr } = await run('ffmpeg', ['-v', 'repeat+error', '-i', file, '-f', 'null', '-'], {
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('[null @'));
  return lines.join('\n');
}
