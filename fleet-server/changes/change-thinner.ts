/**
 * Changes of devices on their way to one listener: of a large fleet that is a thousand a second, and nobody looks at so many devices.
 *
 * INVARIANTS
 * - While more than `maxInWindow` devices' changes come in a window, they are told as one change without a device (it may be about any) a
 *   subject, at the window's end.
 * - The last change is never lost; what waits is bounded by the number of subjects.
 */
import type { Change } from '#protocol/model/change.ts';

export type ChangeThinner = {
  /** Answers what is to be told now: the change, or null, as it is told with others later. */
  offer(change: Change): Change | null;
  /** The window is over: what is to be told in its place. */
  endWindow(): readonly Change[];
};

export const thinnerWindowMs = 1000;
const maxInWindow = 40;

export function createChangeThinner(): ChangeThinner {
  let count = 0;
  let isThin = false;
  const waiting = new Set<Change['subject']>();
  return {
    offer: (change) => {
      if (change.deviceId === undefined) return change;
      count += 1;
      if (!isThin && count <= maxInWindow) return change;
      isThin = true;
      waiting.add(change.subject);
      return null;
    },
    endWindow: () => {
      const told = [...waiting].map((subject): Change => ({ subject }));
      isThin = count > maxInWindow;
      count = 0;
      waiting.clear();
      return told;
    },
  };
}
