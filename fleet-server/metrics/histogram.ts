/** How long something took, as Prometheus counts it: how often, the sum, and how often at most so long. Bounded, whatever comes. */
export type HistogramFigures = {
  /** Upper bounds in seconds, growing, and how many were at most so long. */
  readonly buckets: readonly { readonly leS: number; readonly count: number }[];
  readonly count: number;
  readonly sumS: number;
};

/** From a millisecond to the ten seconds after which somebody else gives up. */
const boundsS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export class Histogram {
  readonly #counts = boundsS.map(() => 0);
  #count = 0;
  #sumS = 0;

  observe(ms: number): void {
    const seconds = Math.max(0, ms) / 1000;
    this.#count += 1;
    this.#sumS += seconds;
    const index = boundsS.findIndex((boundS) => seconds <= boundS);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  figures(): HistogramFigures {
    let below = 0;
    const buckets = boundsS.map((leS, index) => {
      below += this.#counts[index] ?? 0;
      return { leS, count: below };
    });
    return { buckets, count: this.#count, sumS: this.#sumS };
  }
}
