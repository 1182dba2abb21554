/** Writes onto the "no signal" card, once a second, where it is and since when nothing is seen: whichever pipeline shows the card. */
import { hostname } from 'node:os';
import { type Clock, timeOf } from '#device/media/clock.ts';
import { cardText } from '#device/media-host/card-text.ts';

const intervalMs = 1000;

export class CardWriter {
  readonly #clock: Clock;
  readonly #write: (text: string) => void;
  #title = '';
  /** Null while it does not write. */
  #since: { readonly at: string; readonly atMs: number } | null = null;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, write: (text: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Empty: the host's name. To be said also when another pipeline shows the card, so that it has its words at once. */
  setTitle(title: string): void {
    this.#title = title === '' ? hostname() : title;
    this.#refresh();
  }

  /** From now on there is no signal, unless there was none before: then it goes on, with the time at which that began. */
  start(): void {
    const isNew = this.#since === null;
    this.#since ??= { at: new Date(this.#clock.nowMs()).toISOString(), atMs: this.#clock.monotonicMs() };
    this.#refresh();
    if (isNew) this.#schedule();
  }

  /** May be called twice. */
  stop(): void {
    this.#since = null;
    this.#cancel();
  }

  #refresh(): void {
    if (this.#since === null) return;
    const { at, atMs } = this.#since;
    const now = { nowMs: this.#clock.nowMs(), monotonicMs: this.#clock.monotonicMs() };
    this.#write(cardText(this.#title, new Date(timeOf(at, atMs, now)), now.monotonicMs - atMs));
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(() => {
      this.#refresh();
      this.#schedule();
    }, intervalMs);
  }
}
