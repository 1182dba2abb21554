/** Sound levels as a meter shows them. Pure. */
import type { SoundFigures } from '#protocol/media.ts';
import type { Tone } from '../status/stream-words.ts';

/** The meter begins here: what is below is silence to the ear. */
export const meterFloorDbfs = -60;
/** From here on there is little room left, and from there on none. */
const hotDbfs = -6;
const fullDbfs = -1;

/** From 0 at the floor to 1 at full scale. */
export function levelShare(dbfs: number): number {
  return Math.max(0, Math.min(1, 1 - dbfs / meterFloorDbfs));
}

export function levelTone(peakDbfs: number): Tone {
  if (peakDbfs >= fullDbfs) return 'bad';
  return peakDbfs >= hotDbfs ? 'warn' : 'live';
}

/** A true minus sign, one decimal; what is nothing has no number. */
export function levelWords(dbfs: number): string {
  return dbfs <= -100 ? 'nothing' : `${levelNumber(dbfs)} dBFS`;
}

/** Where the unit stands in the heading. */
export function levelNumber(dbfs: number): string {
  return dbfs <= -100 ? '−∞' : `${dbfs < 0 ? '−' : ''}${Math.abs(dbfs).toFixed(1)}`;
}

export function channelName(index: number, channels: SoundFigures['channels']): string {
  if (channels.length === 1) return 'Mono';
  return channels.length === 2 ? (index === 0 ? 'Left' : 'Right') : `Channel ${index + 1}`;
}

/** Of sound against the picture. */
export function driftWords(driftMs: number): string {
  if (driftMs === 0) return 'in step';
  return `sound ${Math.abs(driftMs)} ms ${driftMs > 0 ? 'behind' : 'ahead'}`;
}
