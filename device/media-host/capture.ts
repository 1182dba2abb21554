/**
 * One capture: runs its pipeline, hands out tags and previews, and says once why it failed. It restarts nothing.
 *
 * Life is proven by frames alone: a pipeline whose camera hangs posts no error and stays in PLAYING.
 */
import type { Clock } from '#device/media/clock.ts';
import { isEndOfSequence, parseTag, type Tag } from '#device/media-host/flv.ts';
import { describeError, type GstElement, GstPipeline, setProperty } from '#device/media-host/gst-pipeline.ts';
import type { LiveProperty } from '#device/plan/pipeline-plan.ts';

export type CaptureHandlers = {
  readonly onTag: (tag: Tag) => void;
  readonly onPreview: (jpeg: Buffer) => void;
  /** 16-bit samples of two channels in turn, half a second of them. */
  readonly onSamples: (block: Buffer) => void;
  /** Half a second has passed by the pipeline's clock. */
  readonly onTick: () => void;
  /** A small grey copy of the picture. */
  readonly onLuma: (grey: Buffer) => void;
  /** At most once a run; the pipeline is stopped by then. */
  readonly onFailed: (failure: CaptureFailure) => void;
};

export type CaptureFailure = {
  readonly reason: string;
  /** The name of the element that gave up; null where it was none (no frames, the end of the source). */
  readonly element: string | null;
};

/** A camera may take seconds to open; once it runs, five seconds without a frame are a fault. */
const firstFrameBoundMs = 10_000;
const nextFrameBoundMs = 5_000;
const checkIntervalMs = 500;
/** A pull that comes before the sink has started, or after the last buffer, gives null at once. */
const pullAgainMs = 20;

export class Capture {
  readonly description: string;
  readonly #clock: Clock;
  readonly #handlers: CaptureHandlers;
  #pipeline: GstPipeline | null = null;
  /** Counts starts: what a pull of a former run still brings is of no use. Zero while stopped. */
  #run = 0;
  #runs = 0;
  #lastFrameMs = 0;
  #hasFrame = false;
  /** Anything at all has come in this run. */
  #hasBuffer = false;
  #cancelCheck: () => void = () => undefined;
  /** What the plan says of the sound's rate, once it has been told another. */
  #plannedSoundCaps: string | null = null;
  readonly #pulling = new Set<string>();

  constructor(description: string, clock: Clock, handlers: CaptureHandlers) {
    this.description = description;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** Null, or why the pipeline cannot even be made. What fails later is said by `onFailed`. */
  start(live: readonly LiveProperty[]): string | null {
    if (this.#run !== 0) return null;
    const problem = this.#make();
    if (problem !== null) return problem;
    this.#runs += 1;
    this.#run = this.#runs;
    this.#hasFrame = false;
    this.#hasBuffer = false;
    this.#lastFrameMs = this.#clock.monotonicMs();
    const liveProblem = this.setLive(live);
    if (liveProblem !== null) {
      this.#run = 0;
      return liveProblem;
    }
    const soundClock = this.#pipeline?.element('soundclock') ?? null;
    if (soundClock !== null && this.#plannedSoundCaps !== null) setProperty(soundClock, 'caps', this.#plannedSoundCaps);
    this.#pipeline?.play();
    this.#pull('tags', this.#onTagBuffer);
    const { onPreview, onSamples, onTick, onLuma } = this.#handlers;
    for (const [sink, take] of [
      ['preview', onPreview],
      ['samples', onSamples],
      ['ticks', onTick],
      ['luma', onLuma],
    ] as const) {
      if (this.#pipeline?.element(sink) != null) this.#pull(sink, take);
    }
    this.#scheduleCheck();
    return null;
  }

  /** The camera and the microphone are free when it returns. May be called twice. */
  stop(): void {
    this.#run = 0;
    this.#cancelCheck();
    this.#pipeline?.stop();
  }

  /** Null, or which property there is not; those before it are set. */
  setLive(properties: readonly LiveProperty[]): string | null {
    for (const { element: name, property, value } of properties) {
      const element = this.#pipeline?.element(name) ?? null;
      if (element === null) return `expected an element named "${name}" in the pipeline, found none`;
      if (!setProperty(element, property, value)) return `expected element "${name}" to have a property "${property}", it has none`;
    }
    return null;
  }

  /** What the element shows from now on; nothing where there is no such element. */
  setText(name: string, text: string): void {
    const element = this.#pipeline?.element(name) ?? null;
    if (element !== null) setProperty(element, 'text', text);
  }

  /** Makes the pipeline ahead of its start, which is quicker then. Null, or why it cannot be made. */
  prepare(): string | null {
    return this.#make();
  }

  setSoundRate(rateHz: number): void {
    const element = this.#run === 0 ? null : (this.#pipeline?.element('soundclock') ?? null);
    if (element === null) return;
    this.#plannedSoundCaps ??= String(element['caps']);
    setProperty(element, 'caps', `audio/x-raw,rate=(int)${rateHz}`);
  }

  #make(): string | null {
    if (this.#pipeline !== null) return null;
    try {
      const pipeline = new GstPipeline(this.description, {
        keepsBusThread: false,
        onError: (error) => this.#fail(describeError(error), error.element),
        onEnd: () => this.#fail('the source has ended', null),
      });
      if (pipeline.element('tags')?.pull === undefined) return 'expected "appsink name=tags" in the pipeline, found none';
      this.#pipeline = pipeline;
      return null;
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  readonly #onTagBuffer = (buffer: Buffer): void => {
    const tag = parseTag(buffer);
    // What comes after it is another capture on the same connections: nobody is to take it for the end of the stream.
    if (tag === null || isEndOfSequence(tag)) return;
    if (tag.kind === 'video' && !tag.isHeader) {
      this.#lastFrameMs = this.#clock.monotonicMs();
      this.#hasFrame = true;
    }
    this.#handlers.onTag(tag);
  };

  /** One pull at a time and sink, from now until the run ends. */
  #pull(name: string, take: (buffer: Buffer) => void): void {
    const sink: GstElement | null = this.#pipeline?.element(name) ?? null;
    if (sink?.pull === undefined || this.#pulling.has(name)) return;
    const run = this.#run;
    this.#pulling.add(name);
    sink.pull((buffer) => {
      this.#pulling.delete(name);
      if (this.#run === 0) return;
      if (buffer === null && run === this.#run && !this.#hasBuffer) this.#pipeline?.askWhyNotStarted();
      if (buffer !== null && run === this.#run) {
        this.#hasBuffer = true;
        take(buffer);
      }
      if (buffer !== null) this.#pull(name, take);
      else this.#clock.schedule(() => this.#run !== 0 && this.#pull(name, take), pullAgainMs);
    });
  }

  #scheduleCheck(): void {
    this.#cancelCheck = this.#clock.schedule(() => {
      const silentMs = this.#clock.monotonicMs() - this.#lastFrameMs;
      const boundMs = this.#hasFrame ? nextFrameBoundMs : firstFrameBoundMs;
      if (silentMs < boundMs) this.#scheduleCheck();
      else this.#fail(`no picture for ${Math.round(boundMs / 1000)} s${this.#hasFrame ? '' : ' after the start'}`, null);
    }, checkIntervalMs);
  }

  #fail(reason: string, element: string | null): void {
    if (this.#run === 0) return;
    this.stop();
    this.#handlers.onFailed({ reason, element });
  }
}
