/**
 * send-logs: the newest lines at once, and each new one for five minutes. Asked for again it begins anew.
 *
 * INVARIANT: whatever the log holds, no secret of this device leaves it: each is replaced before a line is sent.
 */
import type { LogTail } from '#device/commands/log-tail.ts';
import type { Clock } from '#device/media/clock.ts';
import { logBounds } from '#protocol/commands.ts';

/** Lines that come in bunches go in one message. */
const gatherMs = 500;
const maxLinesAtOnce = 200;
/** Of a message of 64 KiB, with room for its envelope and for what JSON adds. */
const maxCharactersAtOnce = 20_000;
/** Nobody reads faster; the oldest are left out, and it is said how many. */
const maxWaiting = 1000;
const shownInstead = '[secret]';

export type LogLeaseOptions = {
  readonly clock: Clock;
  readonly tail: Pick<LogTail, 'newest' | 'listen'>;
  readonly send: (lines: readonly string[]) => void;
  /** What must not leave the device. */
  readonly secrets: () => readonly string[];
};

export class LogLease {
  readonly #options: LogLeaseOptions;
  #waiting: string[] = [];
  #leftOut = 0;
  #cancelSend: (() => void) | null = null;
  #cancelEnd: (() => void) | null = null;

  constructor(options: LogLeaseOptions) {
    this.#options = options;
  }

  open(count: number = logBounds.defaultLines): void {
    const { clock, tail } = this.#options;
    this.stop();
    this.#waiting = [...tail.newest(count)];
    tail.listen((line) => this.#add(line));
    this.#cancelEnd = clock.schedule(() => {
      this.#sendAll();
      this.stop();
    }, logBounds.leaseMs);
    this.#sendAll();
  }

  /** May be called twice. */
  stop(): void {
    this.#options.tail.listen(null);
    this.#cancelEnd?.();
    this.#cancelSend?.();
    this.#cancelSend = null;
    this.#waiting = [];
    this.#leftOut = 0;
  }

  #add(line: string): void {
    this.#waiting.push(line);
    if (this.#waiting.length > maxWaiting) {
      this.#waiting.shift();
      this.#leftOut += 1;
    }
    this.#cancelSend ??= this.#options.clock.schedule(() => this.#sendAll(), gatherMs);
  }

  #sendAll(): void {
    this.#cancelSend?.();
    this.#cancelSend = null;
    const secrets = this.#options.secrets().filter((secret) => secret !== '');
    const clean = (line: string) => secrets.reduce((text, secret) => text.replaceAll(secret, shownInstead), line);
    const lines = this.#waiting.map(clean);
    if (this.#leftOut > 0) lines.unshift(`(${this.#leftOut} lines left out: they came faster than they are sent)`);
    this.#waiting = [];
    this.#leftOut = 0;
    for (const some of inMessages(lines)) this.#options.send(some);
  }
}

function inMessages(lines: readonly string[]): readonly (readonly string[])[] {
  const messages: string[][] = [];
  let characters = 0;
  for (const line of lines) {
    const last = messages.at(-1);
    characters += line.length;
    if (last !== undefined && last.length < maxLinesAtOnce && characters <= maxCharactersAtOnce) last.push(line);
    else {
      messages.push([line]);
      characters = line.length;
    }
  }
  return messages;
}
