/** The newest lines of the agent's own log, in memory, for whoever asks from afar. */
import { logBounds } from '#protocol/commands.ts';

/** What a message takes of one line. */
const maxLineLength = 2000;

export class LogTail {
  #lines: string[] = [];
  #listener: ((line: string) => void) | null = null;

  readonly add = (line: string): void => {
    const text = line.trimEnd().slice(0, maxLineLength);
    this.#lines.push(text);
    if (this.#lines.length > logBounds.lines) this.#lines.shift();
    this.#listener?.(text);
  };

  newest(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Each line from now on; one listener at a time, and null for none. */
  listen(listener: ((line: string) => void) | null): void {
    this.#listener = listener;
  }
}
