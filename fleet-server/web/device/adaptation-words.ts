/** What is said of a bitrate that follows the uplink. Pure. */
import type { BitrateAdaptation, OutputStatus } from '#protocol/media.ts';
import { bitrateOfWords } from '../figures/format.ts';

export type NamedTarget = Pick<OutputStatus, 'id' | 'kind' | 'target'>;

/** Null while nothing is in the way of the bitrate that was set. */
export function adaptationWords(adaptation: BitrateAdaptation, outputs: readonly NamedTarget[]): string | null {
  const { bitrateKbps, targetKbps, reason } = adaptation;
  if (bitrateKbps >= targetKbps && reason === '') return null;
  return `Bitrate ${bitrateOfWords(bitrateKbps, targetKbps)}: ${causeWords(adaptation, outputs)}`;
}

function causeWords({ bitrateKbps, floorKbps, limitedBy, reason }: BitrateAdaptation, outputs: readonly NamedTarget[]): string {
  // One of several targets may be slow by itself; what is in the way of the only one is the uplink.
  const targets = outputs.filter(({ kind }) => kind === 'rtmp');
  if (limitedBy !== null && targets.length === 1) {
    return bitrateKbps > floorKbps ? 'the uplink is slow' : 'the uplink is slow, and this is the least that is allowed';
  }
  if (reason === '') return 'it rises again as soon as a target takes the stream';
  // The device names outputs by their ids, which nobody sees on the page.
  return targets
    .toSorted((one, other) => other.id.length - one.id.length)
    .reduce((words, { id, target }) => words.replaceAll(`${id} `, `${target} `), reason);
}
