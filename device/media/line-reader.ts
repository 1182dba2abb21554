/** Cuts a byte stream into lines of bounded length. */

export type LinesRead = { readonly kind: 'lines'; readonly lines: readonly string[] } | { readonly kind: 'too-long' };

const newline = 0x0a;

export class LineReader {
  readonly #maximumBytes: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  /** The lines that this chunk completes. After `too-long` the stream cannot be trusted any more. */
  read(chunk: Buffer): LinesRead {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(start, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      start = end + 1;
      if (line.length > this.#maximumBytes) return { kind: 'too-long' };
      if (line.length > 0) lines.push(line.toString('utf8'));
    }
    const rest = chunk.subarray(start);
    this.#restBytes += rest.length;
    if (this.#restBytes > this.#maximumBytes) return { kind: 'too-long' };
    if (rest.length > 0) this.#rest.push(rest);
    return { kind: 'lines', lines };
  }
}
