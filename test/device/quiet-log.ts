/** A log that remembers what was said. */
import type { Log } from '#device/logging.ts';

export type QuietLog = Log & { readonly lines: string[] };

export function quietLog(): QuietLog {
  const lines: string[] = [];
  const say = (message: string): void => {
    lines.push(message);
  };
  return { lines, debug: say, info: say, warn: say, error: say };
}
