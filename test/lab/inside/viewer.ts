/** Somebody who watches and listens at the far side of the relay: what colour the picture has, and how loud it is. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Arrival, readArrival } from '../../device/media/far-side.ts';
import { until } from '../../until.ts';
import type { Laboratory } from '../scenario.ts';

const run = promisify(execFile);
const listenBoundMs = 60_000;
/** The picture begins with a keyframe, up to two seconds after the sound. */
const analyzeUs = '3000000';
/** Ten minutes at fifteen frames a second. */
const maximumFrames = 9000;

/** One frame, as its mean colour. */
export type SeenFrame = { readonly atMs: number; readonly red: number; readonly green: number; readonly blue: number };

export type Viewer = {
  readonly frames: readonly SeenFrame[];
  /** The player has not been cut off. */
  readonly isWatching: () => boolean;
};

type Player = { readonly child: ChildProcessByStdio<null, Readable, null>; readonly isOver: () => boolean };

/** In one connection until the scenario is over; what it plays comes raw, as soon as it is there. */
function play(laboratory: Laboratory, address: string, output: readonly string[]): Player {
  const input = ['-v', 'fatal', '-nostdin', '-fflags', 'nobuffer', '-analyzeduration', analyzeUs, '-i', address];
  const child = spawn('ffmpeg', [...input, ...output, '-flush_packets', '1', '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  laboratory.undoLater(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, isOver: () => child.exitCode !== null || child.signalCode !== null };
}

async function begun({ child, isOver }: Player, what: string, hasCome: () => boolean): Promise<void> {
  await until(what, listenBoundMs, () => hasCome() || isOver());
  if (isOver()) throw new Error(`expected ffmpeg to play the stream, it ended with ${child.exitCode}`);
}

/** Watches the stream in one connection until the scenario is over. */
export async function watch(laboratory: Laboratory, address: string): Promise<Viewer> {
  const player = play(laboratory, address, [
    '-an',
    '-vf',
    'scale=1:1:flags=area,setsar=1,format=rgb24',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
  ]);
  const frames: SeenFrame[] = [];
  let rest = Buffer.alloc(0);
  player.child.stdout.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    for (let at = 0; at < whole && frames.length < maximumFrames; at += 3) {
      frames.push({ atMs: performance.now(), red: bytes[at] ?? 0, green: bytes[at + 1] ?? 0, blue: bytes[at + 2] ?? 0 });
    }
    rest = bytes.subarray(whole);
  });
  await begun(player, 'a first frame for the viewer', () => frames.length > 0);
  return { frames, isWatching: () => !player.isOver() };
}

export type Note = { readonly arrivals: readonly Arrival[] } & Pick<Viewer, 'isWatching'>;

/** What comes of the stream, picture by picture and undecoded, in one connection until the scenario is over. */
export async function note(laboratory: Laboratory, address: string): Promise<Note> {
  const player = play(laboratory, address, ['-map', '0:v', '-c', 'copy', '-copyts', '-f', 'framecrc']);
  const arrivals: Arrival[] = [];
  createInterface({ input: player.child.stdout }).on('line', (line) => {
    const arrival = readArrival(line, performance.now());
    if (arrival !== null && arrivals.length < maximumFrames) arrivals.push(arrival);
  });
  await begun(player, 'a first picture for the viewer', () => arrivals.length > 0);
  return { arrivals, isWatching: () => !player.isOver() };
}

/** How loud a tenth of a second was, in decibels below full scale, when it came. */
export type HeardMoment = { readonly atMs: number; readonly decibels: number };

const heardRateHz = 8000;
const momentBytes = (heardRateHz / 10) * 2;
/** Ten minutes. */
const maximumMoments = 6000;

/** Listens to the stream in one connection until the scenario is over. */
export async function hear(laboratory: Laboratory, address: string): Promise<readonly HeardMoment[]> {
  const player = play(laboratory, address, ['-vn', '-ac', '1', '-ar', String(heardRateHz), '-f', 's16le']);
  const moments: HeardMoment[] = [];
  let rest = Buffer.alloc(0);
  player.child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= momentBytes; rest = rest.subarray(momentBytes)) {
      if (moments.length < maximumMoments) moments.push({ atMs: performance.now(), decibels: loudness(rest.subarray(0, momentBytes)) });
    }
  });
  await begun(player, 'a first sound', () => moments.length > 0);
  return moments;
}

function loudness(samples: Buffer): number {
  let sum = 0;
  for (let at = 0; at < samples.length; at += 2) sum += (samples.readInt16LE(at) / 32_768) ** 2;
  return sum === 0 ? -91 : 10 * Math.log10(sum / (samples.length / 2));
}

/** Mean loudness over some seconds, in decibels below full scale; digital silence is about -91. */
export async function listen(address: string, seconds: number): Promise<number> {
  const { stderr } = await run(
    'ffmpeg',
    ['-nostdin', '-i', address, '-vn', '-t', String(seconds), '-af', 'volumedetect', '-f', 'null', '-'],
    {
      timeout: listenBoundMs,
    },
  );
  const mean = /mean_volume: (-?[\d.]+|-inf) dB/.exec(stderr)?.[1];
  if (mean === undefined) throw new Error(`expected ffmpeg to tell the mean volume, came ${stderr.slice(-500)}`);
  return mean === '-inf' ? -91 : Number(mean);
}

export type Colour = 'red' | 'green';

/** What a camera of ours shows that was painted so, with room for what scaling and encoding do to it. */
export function isColour(frame: SeenFrame | undefined, colour: Colour): boolean {
  if (frame === undefined) return false;
  const { red, green, blue } = frame;
  const [strong, weak] = colour === 'red' ? [red, green] : [green, red];
  return strong > 120 && weak < 90 && blue < 90;
}
