/**
 * Small pictures and smaller grey copies of a camera's own H.264, from its keyframes alone. It runs beside the capture and holds up
 * nothing: where it fails, nothing is seen, and the stream goes on.
 */
import type { Clock } from '#device/media/clock.ts';
import { isVideoHeader, type Tag, videoFileHeader } from '#device/media-host/flv.ts';
import { describeError, type GstElement, GstPipeline, setProperty } from '#device/media-host/gst-pipeline.ts';
import { SinkPulls } from '#device/media-host/sink-pulls.ts';
import type { KeyframeLookPlan } from '#device/plan/pipeline-plan.ts';

export type KeyframeLookHandlers = {
  /** A small raw picture for a preview. */
  readonly onPicture: (picture: Buffer) => void;
  readonly onLuma: (grey: Buffer) => void;
  /** It tries again by itself when the time is over. */
  readonly onLookFailed: (reason: string, retryMs: number) => void;
};

/** A camera's clock is not ours: a keyframe that comes a little early is taken all the same. */
const earlyShare = 0.9;
const watchIntervalMs = 1000;
/** A decoder that gave up over one picture may like a later one; each start leaks some hundred bytes. */
const tryAgainMs = 30_000;

export class KeyframeLook {
  readonly #description: string;
  readonly #plan: Omit<KeyframeLookPlan, 'description'>;
  readonly #clock: Clock;
  readonly #handlers: KeyframeLookHandlers;
  #pipeline: GstPipeline | null = null;
  #header: Tag | null = null;
  readonly #pulls: SinkPulls;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #previewAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ description, ...plan }: KeyframeLookPlan & { readonly description: string }, clock: Clock, handlers: KeyframeLookHandlers) {
    this.#description = description;
    this.#plan = plan;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#pulls = new SinkPulls({ clock, element: (name) => this.#pipeline?.element(name) ?? null });
  }

  /** Any tag of the capture; it looks at those that it needs. */
  take(tag: Tag): void {
    if (isVideoHeader(tag)) {
      this.#header = tag;
      if (this.#pulls.isRunning) this.#push(tag);
    } else if (tag.kind === 'video' && tag.isKeyframe && this.#isDue() && (this.#pulls.isRunning || this.#start())) {
      this.#takenAtMs = this.#clock.monotonicMs();
      const valve = this.#pipeline?.element('preview-valve') ?? null;
      if (valve !== null) setProperty(valve, 'drop', !this.#isPreviewDue());
      this.#push(tag);
    }
  }

  /** May be called twice; what is taken next starts it again, from its own headers on. */
  stop(): void {
    this.#pulls.end();
    this.#header = null;
    this.#pipeline?.stop();
  }

  #isDue(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const intervalMs = this.#plan.isWatched ? watchIntervalMs : this.#plan.previewIntervalS * 1000;
    return nowMs - this.#takenAtMs >= intervalMs * earlyShare && (this.#pulls.isRunning || nowMs - this.#failedAtMs >= tryAgainMs);
  }

  #isPreviewDue(): boolean {
    return this.#clock.monotonicMs() - this.#previewAtMs >= this.#plan.previewIntervalS * 1000 * earlyShare;
  }

  /** False where nothing can be looked at now. */
  #start(): boolean {
    const header = this.#header;
    if (header === null) return false;
    try {
      this.#pipeline ??= new GstPipeline(this.#description, {
        keepsBusThread: false,
        onError: (error) => this.#fail(describeError(error)),
        onEnd: () => this.#fail('its pictures have ended'),
      });
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause.message : String(cause));
      return false;
    }
    this.#pulls.begin();
    this.#pipeline.play();
    this.#source()?.push?.(videoFileHeader);
    this.#push(header);
    this.#pulls.pull('luma', this.#handlers.onLuma);
    this.#pulls.pull('preview-pictures', (picture) => {
      this.#previewAtMs = this.#clock.monotonicMs();
      this.#handlers.onPicture(picture);
    });
    return true;
  }

  #push(tag: Tag): void {
    this.#source()?.push?.(tag.bytes);
  }

  #source(): GstElement | null {
    return this.#pipeline?.element('keyframes') ?? null;
  }

  #fail(reason: string): void {
    const header = this.#header;
    this.stop();
    // The capture goes on under it.
    this.#header = header;
    this.#failedAtMs = this.#clock.monotonicMs();
    this.#handlers.onLookFailed(`the camera’s own H.264 cannot be decoded: ${reason}`, tryAgainMs);
  }
}
