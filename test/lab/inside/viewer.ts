/** Somebody who watches and listens at the far side of the relay: what colour the picture has, and how loud it is. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
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

/** Plays the stream in one connection until the scenario is over. */
export async function watch(laboratory: Laboratory, address: string): Promise<Viewer> {
  const input = ['-v', 'fatal', '-nostdin', '-fflags', 'nobuffer', '-analyzeduration', analyzeUs, '-i', address];
  const output = [
    '-an',
    '-vf',
    'scale=1:1:flags=area,setsar=1,format=rgb24',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-flush_packets',
    '1',
    '-',
  ];
  const child = spawn('ffmpeg', [...input, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  laboratory.undoLater(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const frames: SeenFrame[] = [];
  let rest = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    for (let at = 0; at < whole && frames.length < maximumFrames; at += 3) {
      frames.push({ atMs: performance.now(), red: bytes[at] ?? 0, green: bytes[at + 1] ?? 0, blue: bytes[at + 2] ?? 0 });
    }
    rest = bytes.subarray(whole);
  });
  const isWatching = (): boolean => child.exitCode === null && child.signalCode === null;
  await until('a first frame for the viewer', listenBoundMs, () => frames.length > 0 || !isWatching());
  if (!isWatching()) throw new Error(`expected ffmpeg to play ${address}, it ended with ${child.exitCode}`);
  return { frames, isWatching };
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
