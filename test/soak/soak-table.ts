/** The figures of a soak run, and whether the memory grew. Pure. */

export type SoakRow = {
  readonly elapsedS: number;
  readonly restarts: number;
  readonly changes: number;
  readonly agentRssBytes: number;
  readonly hostRssBytes: number;
};

const megabyte = 1e6;

export function soakHeading(): string {
  return ['     s', 'restarts', 'changes', 'agent MB', ' host MB'].join('  ');
}

export function soakLine({ elapsedS, restarts, changes, agentRssBytes, hostRssBytes }: SoakRow): string {
  const figures = [
    elapsedS.toFixed(0).padStart(6),
    String(restarts).padStart(8),
    String(changes).padStart(7),
    (agentRssBytes / megabyte).toFixed(1).padStart(8),
    (hostRssBytes / megabyte).toFixed(1).padStart(8),
  ];
  return figures.join('  ');
}

export type Growth = { readonly agentBytes: number; readonly hostBytes: number };

/**
 * From the first quarter of the second half to its last: the lowest figure of each, because a sample may fall before or after
 * a collection of garbage, or a media host that is replaced after twenty captures. A leak raises the lowest ones too.
 */
export function growthOfSecondHalf(rows: readonly SoakRow[]): Growth {
  const half = rows.slice(Math.floor(rows.length / 2));
  const part = Math.max(1, Math.floor(half.length / 4));
  const lowest = (some: readonly SoakRow[], figure: (row: SoakRow) => number) => (some.length === 0 ? 0 : Math.min(...some.map(figure)));
  const grown = (figure: (row: SoakRow) => number) => lowest(half.slice(-part), figure) - lowest(half.slice(0, part), figure);
  return { agentBytes: grown((row) => row.agentRssBytes), hostBytes: grown((row) => row.hostRssBytes) };
}
