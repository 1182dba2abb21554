/** What to tell people who hear the page instead of seeing it. Pure. */
import type { DeviceSummary } from '#protocol/model/device.ts';
import { streamWords } from './stream-words.ts';

type Told = Pick<DeviceSummary, 'id' | 'name' | 'stream'>;

/** More at once are summed up: nobody listens to a list. */
const maxSentences = 3;

export function changedWords(before: readonly Told[], now: readonly Told[]): string {
  const kinds = new Map(before.map(({ id, stream }) => [id, stream.kind]));
  const changed = now.filter(({ id, stream }) => kinds.has(id) && kinds.get(id) !== stream.kind);
  if (changed.length > maxSentences) return `The streams of ${changed.length} devices changed.`;
  return changed.map(({ name, stream }) => `${name}: ${streamWords(stream.kind)}.`).join(' ');
}
