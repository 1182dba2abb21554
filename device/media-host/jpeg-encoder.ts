/** Raw pictures to JPEG, in a pipeline of its own: what is wrong with it is nothing to the capture. */
import type { Clock } from '#device/media/clock.ts';
import { describeError, GstPipeline } from '#device/media-host/gst-pipeline.ts';
import { SinkPulls } from '#device/media-host/sink-pulls.ts';

export type JpegHandlers = {
  readonly onJpeg: (jpeg: Buffer) => void;
  /** At most once a run; it is stopped by then. */
  readonly onFailed: (reason: string) => void;
};

export class JpegEncoder {
  readonly #pipeline: GstPipeline;
  readonly #pulls: SinkPulls;
  #handlers: JpegHandlers | null = null;

  /** Throws where an element is not installed. */
  constructor(description: string, clock: Clock) {
    this.#pipeline = new GstPipeline(description, {
      keepsBusThread: false,
      onError: (error) => this.#fail(describeError(error)),
      onEnd: () => this.#fail('its pictures have ended'),
    });
    this.#pulls = new SinkPulls({
      clock,
      element: (name) => this.#pipeline.element(name),
      onNothingYet: () => this.#pipeline.askWhyNotStarted(),
    });
  }

  start(handlers: JpegHandlers): void {
    this.stop();
    this.#handlers = handlers;
    this.#pulls.begin();
    this.#pipeline.play();
    this.#pulls.pull('preview', (jpeg) => this.#handlers?.onJpeg(jpeg));
  }

  /** May be called twice. */
  stop(): void {
    this.#handlers = null;
    this.#pulls.end();
    this.#pipeline.stop();
  }

  push(picture: Buffer): void {
    if (this.#handlers !== null) this.#pipeline.element('pictures')?.push?.(picture);
  }

  #fail(reason: string): void {
    const handlers = this.#handlers;
    this.stop();
    handlers?.onFailed(`the JPEG encoder failed: ${reason}`);
  }
}
