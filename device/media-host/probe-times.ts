/** When a lost microphone is listened for: soon where it was plugged in again, with patience where it is there and does not open. */
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';

/** Each return costs the picture a moment: a microphone that comes and goes gets fewer and fewer chances. */
const patience: BackOffPolicy = { firstMs: 1000, factor: 2, capMs: 60_000, jitter: 0 };
export const probeIntervalMs = 1000;
/** From the word of a new node until it can be opened: udev gives it to our group a moment after it has come. */
export const wakeDelayMs = 250;
/**
 * Nobody replugs more often without half a minute of sound in between: from then on it is a bad cable, and the picture is worth
 * more than a sound that stays for seconds.
 */
export const mostPluggings = 8;

export class ProbeTimes {
  readonly #clock: Clock;
  readonly #onTry: () => void;
  #isWakeable = false;
  #dueMs = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, onTry: () => void) {
    this.#clock = clock;
    this.#onTry = onTry;
  }

  /** `losses`: how often it was lost lately, this time included. */
  start(losses: number): void {
    this.stop();
    this.#isWakeable = losses <= mostPluggings;
    this.#schedule(backOffDelay(patience, Math.max(1, losses), 0));
  }

  /** May be called twice. */
  stop(): void {
    this.#isWakeable = false;
    this.#cancel();
  }

  /** A device has come, gone, or become usable. A try that is nearer stays: what tells of many changes puts nothing off. */
  wake(): void {
    if (!this.#isWakeable || this.#dueMs - this.#clock.monotonicMs() <= wakeDelayMs) return;
    this.#cancel();
    this.#schedule(wakeDelayMs);
  }

  #schedule(delayMs: number): void {
    this.#dueMs = this.#clock.monotonicMs() + delayMs;
    this.#cancel = this.#clock.schedule(() => {
      this.#schedule(probeIntervalMs);
      this.#onTry();
    }, delayMs);
  }
}
