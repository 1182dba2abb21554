/** Levels of the sound before it is encoded, from blocks of 16-bit samples of two channels in turn. Pure. */
import type { SoundFigures } from '#protocol/media.ts';

const channels = [0, 1] as const;
const bytesPerFrame = 4;
/** A sine of full scale has 0 dBFS as peak and -3 as RMS. */
const fullScale = 32_768;
/** Fewer samples in a row at the rail are a loud moment; more are a flat top, which is heard. */
const flatTopSamples = 3;
/** Converters with an offset never reach the rail itself. */
const rail = 32_700;
/** What 16 bits cannot tell from nothing; JSON has no minus infinity. */
const floorDbfs = -100;

type Channel = { peak: number; sumOfSquares: number; atRail: number; clipped: number };

const newChannel = (): Channel => ({ peak: 0, sumOfSquares: 0, atRail: 0, clipped: 0 });

export class SoundMeter {
  #channels: readonly [Channel, Channel] = [newChannel(), newChannel()];
  #frames = 0;
  /** Both channels are the same: a microphone with one, doubled on the way here. */
  #isMono = true;

  add(block: Uint8Array): void {
    const samples = asSamples(block);
    const frames = samples.length >> 1;
    for (let index = 0; this.#isMono && index < frames; index += 1) {
      if (samples[2 * index] !== samples[2 * index + 1]) this.#isMono = false;
    }
    measure(this.#channels[0], samples, 0);
    // The second of two equal channels is the first.
    if (this.#isMono) this.#channels = [this.#channels[0], { ...this.#channels[0] }];
    else measure(this.#channels[1], samples, 1);
    this.#frames += frames;
  }

  /** Since the last call; null where no sound has come. */
  sample(): SoundFigures | null {
    const frames = this.#frames;
    if (frames === 0) return null;
    const told = this.#isMono ? channels.slice(0, 1) : channels;
    const figures = {
      channels: told.map((index) => {
        const { peak, sumOfSquares, clipped } = this.#channels[index];
        return {
          peakDbfs: decibels(peak / fullScale),
          rmsDbfs: decibels(Math.sqrt(sumOfSquares / frames) / fullScale),
          clippedSamples: clipped,
        };
      }),
    };
    this.#channels = [newChannel(), newChannel()];
    this.#frames = 0;
    this.#isMono = true;
    return figures;
  }
}

/** Little-endian, as every machine is that this runs on; whole frames only. */
function asSamples(block: Uint8Array): Int16Array {
  const bytes = block.byteLength - (block.byteLength % bytesPerFrame);
  const aligned = block.byteOffset % 2 === 0 ? block : new Uint8Array(block);
  return new Int16Array(aligned.buffer, aligned.byteOffset, bytes / 2);
}

/** A tight loop over locals: it sees every sample. */
function measure(channel: Channel, samples: Int16Array, first: 0 | 1): void {
  let { peak, sumOfSquares, atRail, clipped } = channel;
  for (let index = first; index < samples.length; index += 2) {
    const sample = samples[index] ?? 0;
    const size = sample < 0 ? -sample : sample;
    sumOfSquares += sample * sample;
    if (size > peak) peak = size;
    if (size < rail) {
      atRail = 0;
      continue;
    }
    atRail += 1;
    if (atRail === flatTopSamples) clipped += flatTopSamples;
    else if (atRail > flatTopSamples) clipped += 1;
  }
  channel.peak = peak;
  channel.sumOfSquares = sumOfSquares;
  channel.atRail = atRail;
  channel.clipped = clipped;
}

function decibels(share: number): number {
  return share === 0 ? floorDbfs : Math.max(floorDbfs, Math.round(200 * Math.log10(share)) / 10);
}
