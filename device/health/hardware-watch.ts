/**
 * Looks whether something was plugged or unplugged, and has the hardware detected anew then: quickly while something is missing
 * (no camera, no microphone, a pipeline that fails), at leisure while all is well, so that what came beside can be chosen.
 */
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import { errorText } from '#device/state/state-directory.ts';

export const lookIntervalMs = 10_000;
/**
 * What belongs to a new device may come after it (a sound card after its camera), and a tool that gave no answer in time on a
 * busy machine may give one later: it is looked at so many times.
 */
const looksAfterChange = 3;
/** After word of a change: a node may not be usable for some 100 ms, and what belongs to it comes after it. */
const wakeDelaysMs = [30, 250, 700, 1500, 3000] as const;
/** The same while nothing is missing: what is plugged in then is in nobody's way, and has come wholly by then. */
const calmDelaysMs = [1500, 4000] as const;

export type HardwareWatchOptions = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly fingerprint: () => Promise<string>;
  readonly isSomethingMissing: () => boolean;
  /** It sees to it that a stream that runs well is not disturbed. */
  readonly redetect: () => Promise<void>;
};

export class HardwareWatch {
  readonly #options: HardwareWatchOptions;
  #fingerprint = '';
  #looksLeft = 0;
  /** The looks that are left follow a change; else they are for what gave no answer, and only for what is missing. */
  #hasChanged = false;
  #looking: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #cancelWake: (() => void) | null = null;
  #cancelLate: (() => void) | null = null;
  #isRunning = false;

  constructor(options: HardwareWatchOptions) {
    this.#options = options;
  }

  /**
   * `fingerprint`: of before the detection on which the present plan rests, so that nothing that came meanwhile is missed.
   * `hadProblems`: that detection did not get every answer.
   */
  start(fingerprint: string, hadProblems: boolean): void {
    this.#isRunning = true;
    this.#fingerprint = fingerprint;
    this.#looksLeft = hadProblems ? looksAfterChange : 0;
    this.#schedule();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = null;
    this.#cancelWake?.();
    this.#cancelWake = null;
    this.#cancelLate?.();
    this.#cancelLate = null;
  }

  /** Something was plugged or unplugged, says somebody who heard of it: it is looked at now, and again while it gets ready. */
  wake(): void {
    if (!this.#isRunning) return;
    this.#cancelWake?.();
    this.#lookAgain(this.#options.isSomethingMissing() ? wakeDelaysMs : calmDelaysMs);
  }

  /** Detects anew after that time, changed or not. A later word of the same replaces it. */
  lookIn(delayMs: number): void {
    if (!this.#isRunning) return;
    this.#cancelLate?.();
    this.#cancelLate = this.#options.clock.schedule(() => {
      this.#looksLeft = Math.max(1, this.#looksLeft);
      this.#hasChanged = true;
      void this.check();
    }, delayMs);
  }

  #lookAgain([delayMs, ...later]: readonly number[]): void {
    if (delayMs === undefined || !this.#isRunning) return;
    this.#cancelWake = this.#options.clock.schedule(() => {
      this.check().finally(() => this.#lookAgain(later));
    }, delayMs);
  }

  /** Looks now; resolves when done. */
  check(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.schedule(() => {
      this.check().finally(() => {
        if (this.#isRunning) this.#schedule();
      });
    }, lookIntervalMs);
  }

  async #look(): Promise<void> {
    if (!this.#isRunning) return;
    try {
      const fingerprint = await this.#options.fingerprint();
      if (fingerprint !== this.#fingerprint) {
        this.#looksLeft = looksAfterChange;
        this.#hasChanged = true;
      }
      if (this.#looksLeft === 0 || !(this.#hasChanged || this.#options.isSomethingMissing())) return;
      this.#fingerprint = fingerprint;
      this.#looksLeft -= 1;
      await this.#options.redetect();
    } catch (cause) {
      this.#options.log.warn(`cannot look for new hardware: ${errorText(cause)}`);
    }
  }
}
