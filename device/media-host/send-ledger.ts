/**
 * What was handed to a connection and has not arrived: bytes are counted at both ends, and the oldest tag that is still under
 * way tells by how much the far side is behind. Pure.
 *
 * Bytes of tags and of the wire are not quite the same (RTMP's chunk headers take the place of FLV's), which is good for
 * some percent: the ledger is for seconds, not for milliseconds.
 */

type Times = { readonly timestampMs: number; readonly placedAtMs: number };
type Entry = Times & { readonly endBytes: number };

export class SendLedger {
  /** As many as the output has handed over and the server has not acknowledged: a second of tags, by the output's own bound. */
  #entries: Entry[] = [];
  #pushedBytes = 0;
  #arrivedBytes = 0;

  get pushedBytes(): number {
    return this.#pushedBytes;
  }

  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  /** The oldest tag under way; null where all has arrived. */
  get oldest(): Times | null {
    return this.#entries[0] ?? null;
  }

  /** From the oldest tag under way to the newest. */
  get spanMs(): number {
    return (this.#entries.at(-1)?.timestampMs ?? 0) - (this.#entries[0]?.timestampMs ?? 0);
  }

  push(bytes: number, { timestampMs, placedAtMs }: Times): void {
    this.#pushedBytes += bytes;
    this.#entries.push({ endBytes: this.#pushedBytes, timestampMs, placedAtMs });
  }

  /** So many bytes are still on this side or on the way. What has arrived once stays so. */
  settle(outstandingBytes: number): void {
    this.#arrivedBytes = Math.max(this.#arrivedBytes, this.#pushedBytes - outstandingBytes);
    const underWay = this.#entries.findIndex(({ endBytes }) => endBytes > this.#arrivedBytes);
    this.#entries = underWay === -1 ? [] : this.#entries.slice(underWay);
  }

  clear(): void {
    this.#entries = [];
    this.#pushedBytes = 0;
    this.#arrivedBytes = 0;
  }
}
