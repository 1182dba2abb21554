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
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const frames = Math.floor(block.byteLength / bytesPerFrame);
    for (let frame = 0; frame < frames; frame += 1) {
      const left = view.getInt16(frame * bytesPerFrame, true);
      const right = view.getInt16(frame * bytesPerFrame + 2, true);
      if (left !== right) this.#isMono = false;
      measure(this.#channels[0], left);
      measure(this.#channels[1], right);
    }
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

function measure(channel: Channel, sample: number): void {
  const size = sample < 0 ? -sample : sample;
  channel.sumOfSquares += sample * sample;
  if (size > channel.peak) channel.peak = size;
  if (size < rail) {
    channel.atRail = 0;
    return;
  }
  channel.atRail += 1;
  if (channel.atRail === flatTopSamples) channel.clipped += flatTopSamples;
  else if (channel.atRail > flatTopSamples) channel.clipped += 1;
}

function decibels(share: number): number {
  return share === 0 ? floorDbfs : Math.max(floorDbfs, Math.round(200 * Math.log10(share)) / 10);
}
