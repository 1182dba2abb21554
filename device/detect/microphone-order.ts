/** Which microphone is the first where none is chosen: one that was there goes before those that came later. Pure. */
import type { MicrophoneFact } from '#device/detect/facts.ts';

export const maximumKnownMicrophones = 64;

export type MicrophoneOrder = {
  readonly microphones: readonly MicrophoneFact[];
  /** Ids in the order of their coming, also of those that are away: one that comes back has its place again. */
  readonly known: readonly string[];
};

/** One that takes the place of another has it in the order as well. */
export function inPlaceOf(known: readonly string[], former: string, next: string): readonly string[] {
  return former === next ? known : known.flatMap((id) => (id === next ? [] : id === former ? [next] : [id]));
}

/** Those of one look are in the order of their sockets, as they were given. */
export function inOrderOfComing(microphones: readonly MicrophoneFact[], before: readonly string[]): MicrophoneOrder {
  const ids = microphones.map(({ id }) => id);
  const all = [...new Set([...before, ...ids])];
  const known = all.length <= maximumKnownMicrophones ? all : all.filter((id) => ids.includes(id)).slice(0, maximumKnownMicrophones);
  const rank = ({ id }: MicrophoneFact) => all.indexOf(id);
  return { microphones: microphones.toSorted((left, right) => rank(left) - rank(right)), known };
}
