/**
 * The pictures for the dashboard: makes JPEG of what the capture gives for it, and says whether pictures come.
 *
 * INVARIANTS
 * - That it streams is proven by pictures alone, and that it does not by the capture's frames: a capture that stands still is another fault.
 * - It asks nothing of the capture: what gives no pictures there is told of, and never restarted for it.
 */
import type { BackOffPolicy } from '#device/media/back-off.ts';
import {
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  reportedState,
  transition,
} from '#device/media-host/connection-state.ts';
import type { JpegEncoder } from '#device/media-host/jpeg-encoder.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import type { PreviewPlan } from '#device/plan/pipeline-plan.ts';
import type { OutputState, OutputStatus } from '#protocol/media.ts';

/** What the fleet server's preview topic takes. */
const maximumPreviewBytes = 256 * 1024;
const silentIntervals = 3;
const leastSilentMs = 10_000;
/** Of a camera's own H.264 there are no other pictures than these. */
const silentKeyframes = 3;
/** A capture that gave no frame for so long stands still. */
const stillMs = 5_000;
const lookIntervalMs = 250;
const previewPolicy: BackOffPolicy = { firstMs: 2_000, factor: 2, capMs: 60_000, jitter: 0.2 };

export const captureStillWords = 'the capture gives no frames';

export type PictureEncoder = Pick<JpegEncoder, 'start' | 'stop' | 'push'>;

export type PreviewOutputOptions = OutputSurroundings & {
  readonly plan: PreviewPlan;
  readonly onPreview: (jpeg: Buffer) => void;
  /** Throws where an element is not installed. */
  readonly acquireEncoder: (description: string) => PictureEncoder;
};

export class PreviewOutput implements Output {
  readonly plan: PreviewPlan;
  readonly #options: PreviewOutputOptions;
  #state: ConnectionState = { kind: 'stopped' };
  #isWanted = false;
  #encoder: PictureEncoder | null = null;
  /** Where silence is counted from: the last picture, the start of the encoder or of the capture. */
  #mark = { atMs: 0, keyframes: 0, captures: 0, pushed: 0 };
  #pushed = 0;
  #frame = { count: 0, atMs: 0 };
  #lookedAtMs = 0;
  /** What it waits for is a picture, and not the encoder: it goes on with the next one. */
  #waitsForPicture = false;
  #hasSaid = false;
  #starts = 0;
  #bytesSent = 0;
  #cancelRetry: () => void = () => undefined;

  constructor(options: PreviewOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
  }

  start(): void {
    this.#isWanted = true;
    if (this.plan.missing === null) this.#on({ kind: 'start' });
  }

  stop(): void {
    this.#isWanted = false;
    this.#cancelRetry();
    this.#on({ kind: 'stop' });
  }

  advance(): void {
    const nowMs = this.#now();
    if (nowMs - this.#lookedAtMs < lookIntervalMs) return;
    this.#lookedAtMs = nowMs;
    const { frames } = this.#options.bus.passed;
    if (frames !== this.#frame.count) this.#frame = { count: frames, atMs: nowMs };
    this.#followCapture();
    const silence = this.#silence(nowMs);
    if (silence === null) return;
    // It is as the plan says again: pictures came of the card alone.
    if (this.plan.missing !== null) this.#on({ kind: 'stop' });
    else this.#fail(silence.reason, silence.isOfEncoder ? 'encoder' : 'picture');
  }

  /** A small raw picture of what is on air. */
  onPicture(picture: Buffer): void {
    // The capture is changed before its outputs are: the last pictures of the former one may have another size.
    if (!this.#isWanted || picture.length !== this.plan.encoder?.pictureBytes) return;
    if (this.#state.kind === 'stopped') this.#on({ kind: 'start' });
    if (this.#state.kind === 'waiting' && this.#waitsForPicture) this.#on({ kind: 'retry-due' });
    if (this.#state.kind !== 'connecting' && this.#state.kind !== 'streaming') return;
    this.#pushed += 1;
    this.#encoder?.push(picture);
  }

  /** What gives the pictures has failed, and tries again by itself when the time is over. */
  onPictureFault(reason: string, retryMs: number): void {
    this.#followCapture();
    this.#fail(reason, 'picture', { firstMs: retryMs, factor: 1, capMs: retryMs, jitter: 0 });
  }

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    return {
      ...{ id, kind, target },
      state: this.#outputState(),
      connections: this.#starts,
      bytesSent: this.#bytesSent,
      droppedGroups: 0,
      queuedBytes: 0,
    };
  }

  #silence(nowMs: number): { readonly reason: string; readonly isOfEncoder: boolean } | null {
    if (this.#state.kind !== 'connecting' && this.#state.kind !== 'streaming') return null;
    const silentMs = nowMs - this.#mark.atMs;
    if (silentMs < Math.max(leastSilentMs, silentIntervals * this.plan.intervalS * 1000)) return null;
    const isOfEncoder = this.#pushed > this.#mark.pushed;
    if (!isOfEncoder && nowMs - this.#frame.atMs >= stillMs) return { reason: captureStillWords, isOfEncoder };
    if (this.#options.bus.passed.keyframes - this.#mark.keyframes < silentKeyframes) return null;
    const who = isOfEncoder ? 'the JPEG encoder gives nothing' : 'the capture gives frames, and no picture for previews';
    return { reason: `${who}, for ${Math.round(silentMs / 1000)} s`, isOfEncoder };
  }

  /** Another capture may give what the former one did not. */
  #followCapture(): void {
    if (this.#options.bus.passed.captures === this.#mark.captures) return;
    this.#setMark();
    if (this.#state.kind === 'waiting' && this.#waitsForPicture) this.#on({ kind: 'retry-due' });
  }

  #setMark(): void {
    const { captures, keyframes } = this.#options.bus.passed;
    this.#mark = { atMs: this.#now(), keyframes, captures, pushed: this.#pushed };
  }

  #onJpeg(jpeg: Buffer): void {
    if (jpeg.length > maximumPreviewBytes) {
      this.#fail(`a picture has ${Math.ceil(jpeg.length / 1024)} KiB, expected at most ${maximumPreviewBytes / 1024}`, 'encoder');
      return;
    }
    this.#setMark();
    this.#bytesSent += jpeg.length;
    this.#on({ kind: 'connected' });
    this.#options.onPreview(jpeg);
  }

  #fail(reason: string, waitsFor: 'encoder' | 'picture', policy = previewPolicy): void {
    if (this.#state.kind === 'connecting' || this.#state.kind === 'streaming') this.#waitsForPicture = waitsFor === 'picture';
    this.#on({ kind: 'failed', reason: reason.slice(0, 500) }, policy);
  }

  #on(event: ConnectionEvent, policy = previewPolicy): void {
    const former = this.#state;
    const { state, effects } = transition(former, event, { nowMs: this.#now(), random: this.#options.random(), policy });
    this.#state = state;
    if (former.kind !== 'streaming' && state.kind === 'streaming') this.#starts += 1;
    for (const effect of effects) this.#perform(effect);
    if (state !== former) this.#options.onState();
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'open':
        this.#open();
        return;
      case 'close':
        this.#encoder?.stop();
        return;
      case 'wait':
        this.#cancelRetry = this.#options.clock.schedule(() => this.#on({ kind: 'retry-due' }), effect.delayMs);
        return;
      case 'say':
        this.#say(effect.event, effect.detail);
        return;
      default:
        effect satisfies never;
    }
  }

  #open(): void {
    this.#cancelRetry();
    this.#setMark();
    this.#frame = { ...this.#frame, atMs: this.#now() };
    try {
      this.#encoder ??= this.#options.acquireEncoder(this.plan.encoder?.description ?? '');
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause.message : String(cause), 'encoder');
      return;
    }
    this.#encoder.start({
      onJpeg: (jpeg) => this.#onJpeg(jpeg),
      onFailed: (reason) => this.#fail(reason, 'encoder'),
    });
  }

  /** That it works is news after it did not. A capture that stands still has its own history. */
  #say(event: Extract<ConnectionEffect, { kind: 'say' }>['event'], detail: string): void {
    const isGood = event === 'output-streaming';
    if (isGood ? !this.#hasSaid : detail === captureStillWords) return;
    this.#hasSaid = !isGood;
    this.#options.onEvent(event, [this.plan.target, detail].filter((part) => part !== '').join(': '));
  }

  #outputState(): OutputState {
    const reported = reportedState(this.#state, this.#options.clock);
    const { missing } = this.plan;
    return reported.kind === 'stopped' && missing !== null ? { ...reported, lastError: missing } : reported;
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
