/** What the outputs send, over the time between two looks. */
import type { OutputStatus } from '#protocol/media.ts';

const networked: readonly OutputStatus['kind'][] = ['rtmp', 'icecast'];

export class UplinkRate {
  #sent = new Map<string, number>();
  #atMs: number | null = null;

  /** kbit/s since the last call; undefined at the first. */
  sample(outputs: readonly OutputStatus[], monotonicMs: number): number | undefined {
    const sent = new Map(outputs.filter(({ kind }) => networked.includes(kind)).map(({ id, bytesSent }) => [id, bytesSent]));
    const before = this.#sent;
    const sinceMs = this.#atMs === null ? 0 : monotonicMs - this.#atMs;
    this.#sent = sent;
    this.#atMs = monotonicMs;
    if (sinceMs <= 0) return undefined;
    let bytes = 0;
    for (const [id, total] of sent) {
      const former = before.get(id) ?? 0;
      // A new media host counts from nought again.
      bytes += total >= former ? total - former : total;
    }
    // Bits a millisecond are kbit/s.
    return Math.round((bytes * 8) / sinceMs);
  }
}
