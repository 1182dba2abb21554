/** How the laboratory says how long a camera took that was put in again: written by its scenario, read by `npm run bench`. */

/** What is asked of it. */
export const backWithinMs = 3000;

export function describeReturn(node: string, tookMs: number): string {
  return `put in, now ${node}: the camera is seen after ${tookMs} ms, of ${backWithinMs}`;
}

/** The times in all that the laboratory has said, in ms and in order. */
export function readReturns(said: string): readonly number[] {
  return [...said.matchAll(/^ +(?:ok|NOT SO) +put in, now \S+: the camera is seen after (\d+) ms/gm)].map(([, ms]) => Number(ms));
}
