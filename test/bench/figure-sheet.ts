/** The figures of a run, a line each, and whether each that has a bar meets it: the exit code says so. */

/** What is asked of a figure, in words, and whether it is so. */
export type Bar = { readonly words: string; readonly isMet: boolean };

export const exitCodes = { met: 0, missed: 1 } as const;

export class FigureSheet {
  readonly #write: (text: string) => void;
  readonly #missed: string[] = [];
  #judged = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  readonly print = (what: string, figure: string | number, bar?: Bar): void => {
    const judged = bar === undefined ? '' : `bar: ${bar.words}${bar.isMet ? '' : ', MISSED'}`;
    this.#write(`${what.padEnd(62)} ${String(figure).padStart(12)}   ${judged}`.trimEnd().concat('\n'));
    if (bar === undefined) return;
    this.#judged += 1;
    if (!bar.isMet) this.#missed.push(what.trim());
  };

  /** What cannot be measured here misses no bar, and is not passed over either. */
  readonly leftOut = (what: string, why: string): void => this.#write(`${what}: left out, ${why}\n`);

  /** For a person who wants to look into it. */
  readonly tell = (line: string): void => this.#write(`    ${line}\n`);

  /** Sums up, and answers with the exit code. */
  finish(): number {
    const missed = this.#missed.length;
    this.#write(
      missed === 0 ? `${this.#judged} bars, all met\n` : `${missed} of ${this.#judged} bars missed: ${this.#missed.join('; ')}\n`,
    );
    return missed === 0 ? exitCodes.met : exitCodes.missed;
  }
}

/** `figure` in ms. */
export function underMs(figure: number, boundMs: number): Bar {
  return { words: boundMs % 1000 === 0 ? `under ${boundMs / 1000} s` : `under ${boundMs} ms`, isMet: figure < boundMs };
}
