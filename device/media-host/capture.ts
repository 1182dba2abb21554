/**
 * One capture: runs its pipeline, hands out tags and small pictures, and says once why it failed. It restarts nothing.
 *
 * Life is proven by frames alone: a pipeline whose camera hangs posts no error and stays in PLAYING.
 */
import type { Clock } from '#device/media/clock.ts';
import { type ControlOutcome, setControl } from '#device/media-host/encoder-control.ts';
import { FilePlayer } from '#device/media-host/file/file-player.ts';
import { isEndOfSequence, parseTag, type Tag } from '#device/media-host/flv.ts';
import { describeError, type GstElement, GstPipeline, setProperty } from '#device/media-host/gst-pipeline.ts';
import { KeyframeLook } from '#device/media-host/keyframe-look.ts';
import type { ElementControl } from '#device/media-host/rate-follower.ts';
import { SinkPulls } from '#device/media-host/sink-pulls.ts';
import type { CapturePlan, LiveProperty } from '#device/plan/pipeline-plan.ts';

export type CaptureHandlers = {
  readonly onTag: (tag: Tag) => void;
  /** A small raw picture for a preview. */
  readonly onPicture: (picture: Buffer) => void;
  /** What gives the small pictures of a camera's own H.264 has failed, and tries again by itself. */
  readonly onLookFailed: (reason: string, retryMs: number) => void;
  /** 16-bit samples of two channels in turn, half a second of them. */
  readonly onSamples: (block: Buffer) => void;
  /** Half a second has passed by the pipeline's clock. */
  readonly onTick: () => void;
  /** A small grey copy of the picture. */
  readonly onLuma: (grey: Buffer) => void;
  /** What is wrong with a file that plays all the same; empty: nothing. */
  readonly onFileFault?: (fault: string) => void;
  /** At most once a run; the pipeline is stopped by then. */
  readonly onFailed: (failure: CaptureFailure) => void;
};

/** What belongs to it beside its description. */
export type CaptureParts = Pick<CapturePlan, 'file' | 'keyframeLook'>;

export type CaptureFailure = {
  readonly reason: string;
  /** The name of the element that gave up; null where it was none (no frames, the end of the source). */
  readonly element: string | null;
  /** No picture came for too long; there was neither an error nor an end. */
  readonly isStandstill: boolean;
};

/** A camera may take seconds to open; once it runs, five seconds without a frame are a fault. */
const firstFrameBoundMs = 10_000;
const nextFrameBoundMs = 5_000;
const checkIntervalMs = 500;

export class Capture {
  readonly description: string;
  readonly #clock: Clock;
  readonly #handlers: CaptureHandlers;
  #pipeline: GstPipeline | null = null;
  readonly #pulls: SinkPulls;
  #lastFrameMs = 0;
  #hasFrame = false;
  #cancelCheck: () => void = () => undefined;
  /** What the plan says of the sound's rate, once it has been told another. */
  #plannedSoundCaps: string | null = null;
  readonly #player: FilePlayer | null;
  readonly #look: KeyframeLook | null;
  #live: readonly LiveProperty[] = [];

  constructor(description: string, clock: Clock, handlers: CaptureHandlers, { file, keyframeLook }: CaptureParts = {}) {
    this.description = description;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#pulls = new SinkPulls({
      clock,
      element: (name) => this.#element(name),
      onNothingYet: () => this.#pipeline?.askWhyNotStarted(),
    });
    this.#player =
      file === undefined
        ? null
        : new FilePlayer(file, clock, {
            onReady: () => this.#playFile(),
            onFailed: (reason) => this.#fail(reason, null),
            onFault: (fault) => handlers.onFileFault?.(fault),
          });
    const lookDescription = keyframeLook?.description ?? null;
    this.#look =
      keyframeLook === undefined || lookDescription === null
        ? null
        : new KeyframeLook({ ...keyframeLook, description: lookDescription }, clock, handlers);
  }

  /** Null, or why the pipeline cannot even be made. What fails later is said by `onFailed`. */
  start(live: readonly LiveProperty[]): string | null {
    if (this.#pulls.isRunning) return null;
    if (this.#player !== null) {
      this.#beginRun();
      this.#live = live;
      this.#player.start();
      this.#scheduleCheck();
      return null;
    }
    const problem = this.#make();
    if (problem !== null) return problem;
    this.#beginRun();
    return this.#play(live);
  }

  #beginRun(): void {
    this.#pulls.begin();
    this.#hasFrame = false;
    this.#lastFrameMs = this.#clock.monotonicMs();
  }

  /** The file can be read. Its decoder links once: each run of a file has a pipeline of its own. */
  #playFile(): void {
    this.#pipeline = null;
    const problem = this.#make() ?? this.#play(this.#live);
    const pictures = this.#element('file-pictures');
    if (problem === null && pictures !== null) this.#player?.attach({ pictures, sound: this.#element('file-sound') });
    else this.#fail(problem ?? 'expected "appsrc name=file-pictures" in the pipeline, found none', null);
  }

  #play(live: readonly LiveProperty[]): string | null {
    const liveProblem = this.setLive(live);
    if (liveProblem !== null) {
      this.#pulls.end();
      return liveProblem;
    }
    const soundClock = this.#pipeline?.element('soundclock') ?? null;
    if (soundClock !== null && this.#plannedSoundCaps !== null) setProperty(soundClock, 'caps', this.#plannedSoundCaps);
    this.#pipeline?.play();
    this.#pulls.pull('tags', this.#onTagBuffer);
    const { onPicture, onSamples, onTick, onLuma } = this.#handlers;
    for (const [sink, take] of [
      ['preview-pictures', onPicture],
      ['samples', onSamples],
      ['ticks', onTick],
      ['luma', onLuma],
    ] as const) {
      this.#pulls.pull(sink, take);
    }
    this.#cancelCheck();
    this.#scheduleCheck();
    return null;
  }

  /** The camera and the microphone are free when it returns. May be called twice. */
  stop(): void {
    this.#pulls.end();
    this.#cancelCheck();
    this.#player?.stop();
    this.#look?.stop();
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

  /** Of the device that the element has open. */
  setControl({ element: name, controlId, value }: ElementControl): Promise<ControlOutcome> {
    const descriptor = this.#pulls.isRunning ? this.#element(name)?.['device-fd'] : -1;
    if (typeof descriptor !== 'number') return Promise.resolve({ kind: 'failed', reason: `"${name}" has no device` });
    return descriptor < 0 ? Promise.resolve({ kind: 'not-open' }) : setControl(descriptor, controlId, value);
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

  askForKeyframe(): void {
    if (this.#pulls.isRunning) this.#pipeline?.askForKeyframe('tags');
  }

  setSoundRate(rateHz: number): void {
    const element = this.#pulls.isRunning ? this.#element('soundclock') : null;
    if (element === null) return;
    this.#plannedSoundCaps ??= String(element['caps']);
    setProperty(element, 'caps', `audio/x-raw,rate=(int)${rateHz}`);
  }

  #element(name: string): GstElement | null {
    return this.#pipeline?.element(name) ?? null;
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
      this.#player?.onPicture(tag.timestampMs);
    }
    this.#handlers.onTag(tag);
    if (this.#pulls.isRunning) this.#look?.take(tag);
  };

  #scheduleCheck(): void {
    this.#cancelCheck = this.#clock.schedule(() => {
      const silentMs = this.#clock.monotonicMs() - this.#lastFrameMs;
      const boundMs = this.#hasFrame ? nextFrameBoundMs : firstFrameBoundMs;
      if (silentMs < boundMs) this.#scheduleCheck();
      else this.#fail(`no picture for ${Math.round(boundMs / 1000)} s${this.#hasFrame ? '' : ' after the start'}`, null, true);
    }, checkIntervalMs);
  }

  #fail(reason: string, element: string | null, isStandstill = false): void {
    if (!this.#pulls.isRunning) return;
    this.stop();
    this.#handlers.onFailed({ reason, element, isStandstill });
  }
}
