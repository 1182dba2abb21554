/**
 * Things that happened, numbered and kept on disk until the fleet server has stored them and said so.
 *
 * INVARIANTS
 * - At most 500 events are kept; the oldest go first, which the server sees as a gap in the numbers.
 * - A number is never given twice: an event is on disk before it is offered for sending. A disk that is full takes it in room that was kept
 *   for it; only where it takes nothing at all (read-only, broken) events are sent unwritten, and a power cut then may lose or renumber them.
 * - A server that has stored higher numbers than were ever given here remembers a file that is lost, or newer than this one (a card that was
 *   restored from an image): what it cannot have is numbered anew, above them.
 * - What happened before the clock was set gets its time when the clock is set, as long as this agent runs.
 * - While events come quickly the file is written at most twice a second: a card bears only so many writes.
 */
import { Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import { isClockSet } from '#device/schedule/outlets.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { Event } from '#protocol/messages.ts';

export const maxKeptEvents = 500;
const writeIntervalMs = 500;
/** After a write that failed: a number that was sent and is on no disk would be given again after a power cut. */
const writeAgainMs = 5000;

const EventRecord = Type.Object({ lastNumber: Type.Integer({ minimum: 0 }), events: Type.Array(Event, { maxItems: maxKeptEvents }) });
/** 500 events of the usual length are a fifth of it; those that say as much as they may do not all fit. */
const eventFile = stateFile('events.json', EventRecord, { reservedBytes: 512 * 1024 });

export type EventJournalOptions = {
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
};

export class EventJournal {
  readonly #options: EventJournalOptions;
  #events: Event[] = [];
  /** Of events without a right time: when they happened, by the monotonic clock. */
  readonly #undated = new Map<number, number>();
  #lastNumber = 0;
  #safeNumber = 0;
  #isDirty = false;
  #writing: Promise<void> | null = null;
  #cancelWrite: (() => void) | null = null;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  /** Of the disk, as it was logged last; null: it takes what is written. */
  #saidProblem: string | null = null;
  #isReady: () => void = () => undefined;

  constructor(options: EventJournalOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const record = await this.#options.state.read(eventFile);
    // A lost file must not give old numbers again: seconds since 1970 are higher than any count.
    this.#lastNumber = record?.lastNumber ?? Math.max(0, Math.floor(this.#options.clock.nowMs() / 1000));
    this.#events = record?.events.slice() ?? [];
    this.#safeNumber = this.#lastNumber;
  }

  /** Writes what is not yet written; nothing is being written when it resolves. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelWrite?.();
    this.#cancelWrite = null;
    await this.#writing;
    if (this.#isDirty) await this.#write();
  }

  /** Called when there is something new to send. */
  onReady(listener: () => void): void {
    this.#isReady = listener;
  }

  add(kind: string, detail: string): void {
    this.#lastNumber += 1;
    const nowMs = this.#options.clock.nowMs();
    const at = new Date(nowMs).toISOString();
    if (!isClockSet(nowMs)) this.#undated.set(this.#lastNumber, this.#options.clock.monotonicMs());
    this.#events.push({ number: this.#lastNumber, at, kind, detail: detail.slice(0, 500) });
    if (this.#events.length > maxKeptEvents) {
      for (const { number } of this.#events.splice(0, this.#events.length - maxKeptEvents)) this.#undated.delete(number);
    }
    this.#markDirty();
  }

  /** The first event after `number` that may be sent. */
  nextAfter(number: number): Event | undefined {
    this.#dateEvents();
    return this.#events.find((event) => event.number > number && event.number <= this.#safeNumber);
  }

  acknowledge(upToNumber: number): void {
    if (upToNumber > this.#lastNumber) {
      this.#numberAnew(upToNumber);
      return;
    }
    const kept = this.#events.filter((event) => event.number > upToNumber);
    if (kept.length === this.#events.length) return;
    this.#events = kept;
    for (const number of this.#undated.keys()) if (number <= upToNumber) this.#undated.delete(number);
    this.#markDirty();
  }

  #numberAnew(above: number): void {
    const undated = new Map(this.#undated);
    this.#undated.clear();
    this.#events = this.#events.map((event, index) => {
      const number = above + 1 + index;
      const atMs = undated.get(event.number);
      if (atMs !== undefined) this.#undated.set(number, atMs);
      return { ...event, number };
    });
    this.#lastNumber = above + this.#events.length;
    this.#markDirty();
  }

  #dateEvents(): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#undated.size === 0 || !isClockSet(nowMs)) return;
    const monotonicMs = this.#options.clock.monotonicMs();
    this.#events = this.#events.map((event) => {
      const atMs = this.#undated.get(event.number);
      return atMs === undefined ? event : { ...event, at: new Date(nowMs - (monotonicMs - atMs)).toISOString() };
    });
    this.#undated.clear();
    this.#markDirty();
  }

  #markDirty(): void {
    this.#isDirty = true;
    if (this.#isStopped || this.#writing !== null || this.#cancelWrite !== null) return;
    const waitMs = Math.max(0, this.#lastWriteMs + writeIntervalMs - this.#options.clock.monotonicMs());
    if (waitMs === 0) {
      this.#startWriting();
      return;
    }
    this.#cancelWrite = this.#options.clock.schedule(() => {
      this.#cancelWrite = null;
      this.#startWriting();
    }, waitMs);
  }

  #startWriting(): void {
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      if (this.#isDirty) this.#markDirty();
    });
  }

  async #write(): Promise<void> {
    this.#isDirty = false;
    this.#lastWriteMs = this.#options.clock.monotonicMs();
    const upTo = this.#lastNumber;
    try {
      await this.#options.state.write(eventFile, { lastNumber: upTo, events: this.#events });
      this.#saidProblem = null;
    } catch (cause) {
      // Told now is better than kept for later: a disk that is full or read-only must not silence the device.
      this.#complain(errorText(cause));
      this.#isDirty = true;
      this.#lastWriteMs += writeAgainMs - writeIntervalMs;
    }
    this.#safeNumber = upTo;
    this.#isReady();
  }

  /** Once a problem: a disk may be read-only for a weekend. */
  #complain(problem: string): void {
    if (problem === this.#saidProblem) return;
    this.#saidProblem = problem;
    this.#options.log.warn(`cannot keep events on disk (${problem}): they are sent all the same`);
  }
}
