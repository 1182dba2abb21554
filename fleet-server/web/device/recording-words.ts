/** A recording of a device in words. Pure. */
import type { ListedRecording } from '#protocol/recordings.ts';
import { bytesWords } from '../figures/format.ts';

/** "0:09:58"; empty where nobody has looked into it yet. */
export function lengthWords(durationMs: number | null): string {
  if (durationMs === null) return '';
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

const stateWords: Readonly<Record<ListedRecording['state'], string>> = {
  recording: 'being recorded',
  written: 'not looked through yet',
  waiting: 'to be converted',
  ready: 'ready',
  unconvertible: 'stays as FLV',
};

/** What there is to know beside when, how long and how large. */
export function conditionWords({ state, mendedBytes, problem }: ListedRecording): string {
  const parts = [
    problem === null ? stateWords[state] : `${stateWords[state]}: ${problem}`,
    ...(mendedBytes === 0 ? [] : [`mended: ${bytesWords(mendedBytes)} that cannot be played left out`]),
  ];
  return parts.join('; ');
}
