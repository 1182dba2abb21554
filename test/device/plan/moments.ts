/** Flashes and tones in a file, found by ffmpeg: whether what happened at one moment is seen and heard at one moment. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of each second it is bright and loud this long, as a room for `tonesAfterFlashesMs` has it. */
export const flashS = 0.3;

export function isFlash(atS: number): boolean {
  return atS % 1 < flashS;
}

/** I420. */
export function picturesOf(width: number, height: number) {
  const bytes = (width * height * 3) / 2;
  return { bright: Buffer.alloc(bytes, 220), dark: Buffer.alloc(bytes, 16) };
}

/** 16 bits, one channel; a tone where it is loud. */
export function soundOf(firstSample: number, samples: number, rateHz: number): Buffer {
  const sound = Buffer.alloc(samples * 2);
  for (let index = 0; index < samples; index += 1) {
    const atS = (firstSample + index) / rateHz;
    if (isFlash(atS)) sound.writeInt16LE(Math.round(8000 * Math.sin(atS * 800 * Math.PI)), index * 2);
  }
  return sound;
}

/** How much later than its flash each tone begins, in ms, of those after `afterS`. A picture's length is as near as it can be told. */
export async function tonesAfterFlashesMs(file: string, afterS = 0): Promise<readonly number[]> {
  const finders = ['-vf', `blackdetect=d=${flashS}:pix_th=0.3`, '-af', `silencedetect=noise=-30dB:d=${flashS}`];
  const { stderr } = await run('ffmpeg', ['-hide_banner', '-nostats', '-i', file, ...finders, '-f', 'null', '-'], { maxBuffer: 64e6 });
  const times = (name: string) => [...stderr.matchAll(new RegExp(`${name}: ?([0-9.]+)`, 'g'))].map(([, time]) => Number(time));
  const tones = times('silence_end');
  return times('black_end')
    .filter((flash) => flash > afterS)
    .flatMap((flash) => {
      const apartS = tones.map((tone) => tone - flash).find((seconds) => Math.abs(seconds) < 0.5);
      return apartS === undefined ? [] : [apartS * 1000];
    });
}

export function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
