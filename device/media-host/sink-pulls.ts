/**
 * What comes out of a pipeline's sinks, from the start of a run to its end: one pull at a time and sink.
 *
 * A pull that comes before the sink has started, or after the last buffer, gives null at once, and a pull of a former run may still
 * bring something when the next one has begun: the one is tried again, the other is of no use.
 */
import type { Clock } from '#device/media/clock.ts';
import type { GstElement } from '#device/media-host/gst-pipeline.ts';

export type SinkPullsOptions = {
  readonly clock: Clock;
  /** Of the pipeline that runs at present. */
  readonly element: (name: string) => GstElement | null;
  /** A sink gave nothing, and no sink has given anything in this run. */
  readonly onNothingYet?: () => void;
};

const pullAgainMs = 20;

export class SinkPulls {
  readonly #options: SinkPullsOptions;
  readonly #pulling = new Set<string>();
  /** Counts runs; zero while there is none. */
  #run = 0;
  #runs = 0;
  #hasBuffer = false;

  constructor(options: SinkPullsOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#run !== 0;
  }

  begin(): void {
    this.#runs += 1;
    this.#run = this.#runs;
    this.#hasBuffer = false;
  }

  /** May be called twice. */
  end(): void {
    this.#run = 0;
  }

  /** From now until the run ends; nothing where there is no such sink. */
  pull(name: string, take: (buffer: Buffer) => void): void {
    const { clock, element, onNothingYet } = this.#options;
    const sink = element(name);
    if (sink?.pull === undefined || this.#pulling.has(name)) return;
    const run = this.#run;
    this.#pulling.add(name);
    sink.pull((buffer) => {
      this.#pulling.delete(name);
      if (this.#run === 0) return;
      if (buffer === null && run === this.#run && !this.#hasBuffer) onNothingYet?.();
      if (buffer !== null && run === this.#run) {
        this.#hasBuffer = true;
        take(buffer);
      }
      if (buffer !== null) this.pull(name, take);
      else clock.schedule(() => this.#run !== 0 && this.pull(name, take), pullAgainMs);
    });
  }
}
