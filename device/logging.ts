/**
 * The agent's own log: one JSON text a line on stdout. Secrets are kept out by construction: whoever logs passes sentences
 * and chosen fields, never settings, plans, credentials or messages as they came.
 */
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What the parts of the agent need of a log: sentences that say what was expected and what came. */
export type Log = {
  readonly debug: (message: string) => void;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly error: (message: string) => void;
};

/** `onLine` hears each line as it is written. */
export function createLog(level: LogLevel, stream: DestinationStream = standardOutput(), onLine?: (line: string) => void): Log {
  const written: DestinationStream =
    onLine === undefined
      ? stream
      : {
          write: (line) => {
            stream.write(line);
            onLine(line);
          },
        };
  const logger: Logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    written,
  );
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  };
}

function standardOutput(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  // Whoever read our output may die before us (a supervisor that was killed): the stream of pictures must go on without a log.
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  return {
    write: (line) => {
      if (!broken) stream.write(line);
    },
  };
}

/** First of its kind, then only each time their number has doubled: what repeats for hours fills no disk. */
export class RepeatedFailures {
  #reason = '';
  #count = 0;

  /** Undefined when this one need not be said. */
  note(reason: string): string | undefined {
    if (reason !== this.#reason) {
      this.#reason = reason;
      this.#count = 1;
      return reason;
    }
    this.#count += 1;
    const isPowerOfTwo = (this.#count & (this.#count - 1)) === 0;
    return isPowerOfTwo ? `${reason} (${this.#count} times)` : undefined;
  }

  clear(): void {
    this.#reason = '';
    this.#count = 0;
  }
}
