/** The capture, the bus and the outputs of one plan, and the way from one plan to the next. */
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { CaptureKeeper } from '#device/media-host/capture-keeper.ts';
import { ContentMeter } from '#device/media-host/content-meter.ts';
import { FigureMeter } from '#device/media-host/figures.ts';
import type { Tag } from '#device/media-host/flv.ts';
import { NetworkWatch } from '#device/media-host/network-watch.ts';
import { NextPicture, type NextPictureOutcome } from '#device/media-host/next-picture.ts';
import type { Output } from '#device/media-host/output.ts';
import { OutputMaker } from '#device/media-host/output-maker.ts';
import { captureSteps, isSameCapture, outputSteps, type Step, withSilence } from '#device/media-host/planner.ts';
import { RateFollower } from '#device/media-host/rate-follower.ts';
import { TagBus } from '#device/media-host/tag-bus.ts';
import { TimeLine } from '#device/media-host/timeline.ts';
import type { PipelinePlan, PlannedOutput } from '#device/plan/pipeline-plan.ts';
import type { MediaFigures, MediaState } from '#protocol/media.ts';

export type MediaEngineOptions = {
  readonly clock: Clock;
  readonly random: () => number;
  /** Where recordings go whose plan names no directory. */
  readonly recordingDirectory: string;
  /** Some state has changed. */
  readonly onState: () => void;
  readonly onEvent: (event: string, detail: string) => void;
  readonly onPreview: (jpeg: Buffer) => void;
};

/** Outputs are also advanced without tags: a stall shows when nothing moves. */
const advanceIntervalMs = 250;
/** Plans that wait behind one that is being applied: only the newest is of use. */
type Pending = { readonly plan: PipelinePlan; readonly resolve: (problem: string | null) => void };

export class MediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #bus = new TagBus(() => this.#keeper.askForKeyframe());
  readonly #timeLine = new TimeLine();
  readonly #outputMaker: OutputMaker;
  readonly #meter: FigureMeter;
  readonly #content = new ContentMeter();
  readonly #keeper: CaptureKeeper;
  readonly #nextPicture: NextPicture;
  readonly #outputs = new Map<string, Output>();
  /** What stopped outputs still write. */
  readonly #settling = new Set<Promise<void>>();
  #plan: PipelinePlan | null = null;
  #figures: MediaFigures | null = null;
  #isBusy = false;
  /** A plan is being tried that there is a way back from: whoever asked for it is told, and the history is spared. */
  #isTrial = false;
  #said: { readonly kind: 'failed' | 'no-signal'; readonly reason: string } | null = null;
  #pending: Pending | null = null;
  #cancelAdvance: () => void = () => undefined;
  readonly #network: NetworkWatch;
  readonly #rate: RateFollower = new RateFollower({
    setLive: (live) => this.#keeper.setLive(live),
    setControl: (control) => this.#keeper.setControl(control),
  });

  constructor(options: MediaEngineOptions) {
    this.#options = options;
    this.#outputMaker = new OutputMaker(options);
    this.#network = new NetworkWatch(options.clock, () => {
      for (const output of this.#outputs.values()) output.onNetworkReturn?.();
    });
    this.#nextPicture = new NextPicture(options.clock);
    this.#meter = new FigureMeter(options.clock.monotonicMs());
    this.#keeper = new CaptureKeeper(options.clock, options.random, {
      onStart: () => {
        this.#rate.onPlanInForce();
        this.#bus.startCapture();
        this.#timeLine.startCapture();
        this.#content.startCapture();
      },
      onTag: (tag) => this.#onTag(tag),
      onPicture: (picture) => {
        for (const output of this.#outputs.values()) output.onPicture?.(picture);
      },
      onLookFailed: (reason, retryMs) => {
        for (const output of this.#outputs.values()) output.onPictureFault?.(reason, retryMs);
      },
      onSamples: (block) => this.#onSamples(block),
      onTick: () => this.#content.addTick(options.clock.monotonicMs()),
      onLuma: (grey) => this.#content.addLuma(grey, options.clock.monotonicMs()),
      onState: (state) => this.#onCaptureState(state),
    });
  }

  /** What runs, or what is tried again and again when no plan has run yet. */
  get plan(): PipelinePlan | null {
    return this.#plan;
  }

  start(): void {
    this.#network.start();
    this.#scheduleAdvance();
  }

  /** Null when the plan runs, or why not; then the former plan runs. One plan at a time: a newer one supersedes one that waits. */
  async apply(plan: PipelinePlan): Promise<string | null> {
    if (this.#isBusy) {
      this.#pending?.resolve('superseded by a newer plan');
      return new Promise((resolve) => {
        this.#pending = { plan, resolve };
      });
    }
    return this.#exclusively(() => this.#apply(plan));
  }

  async restartCapture(): Promise<string | null> {
    const plan = this.#plan;
    if (plan === null) return 'there is no plan to restart';
    if (this.#isBusy) return 'another change is being made';
    return this.#exclusively(() => this.#keeper.restart());
  }

  nextPicture(): Promise<NextPictureOutcome> {
    return this.#nextPicture.take();
  }

  /** To be called each second: figures are of the time between two calls. */
  sample(): void {
    const encoded = this.#keeper.state.kind === 'stopped' ? null : this.#meter.sample(this.#options.clock.monotonicMs());
    this.#figures = encoded === null ? null : { ...encoded, ...this.#content.sample(this.#options.clock.monotonicMs()) };
  }

  status(): MediaStatus {
    const adaptation = this.#rate.status(this.#plan);
    return {
      media: this.#keeper.state,
      figures: this.#figures,
      outputs: [...this.#outputs.values()].map((output) => output.status()),
      rssBytes: process.memoryUsage.rss(),
      framesTotal: this.#meter.framesTotal,
      ...(adaptation === null ? {} : { adaptation }),
      captureLosses: this.#keeper.losses,
    };
  }

  /** Outputs first, so that they end at a whole tag. May be called twice. Resolves when outputs have written what they have. */
  async stop(): Promise<void> {
    this.#cancelAdvance();
    this.#network.stop();
    this.#pending?.resolve('the media host stops');
    this.#pending = null;
    for (const output of this.#outputs.values()) this.#stopOutput(output);
    this.#keeper.stop();
    await Promise.all(this.#settling);
  }

  #scheduleAdvance(): void {
    this.#cancelAdvance = this.#options.clock.schedule(() => {
      this.#advanceOutputs();
      this.#followUplink();
      this.#scheduleAdvance();
    }, advanceIntervalMs);
  }

  /** While a plan is being tried the encoder is left alone. */
  #followUplink(): void {
    const plan = this.#plan;
    if (plan === null || this.#isBusy || !this.#keeper.isUp) return;
    const figures = this.#figures;
    this.#rate.advance({
      nowMs: this.#options.clock.monotonicMs(),
      plan,
      outputs: this.#outputs.values(),
      audioKbps: figures?.audioBitrateKbps ?? 0,
      videoKbps: figures?.videoBitrateKbps ?? null,
    });
  }

  async #exclusively(work: () => Promise<string | null>): Promise<string | null> {
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
      const pending = this.#pending;
      this.#pending = null;
      if (pending !== null) void this.apply(pending.plan).then(pending.resolve);
    }
  }

  /** Outputs come last, so that a capture that does not run leaves them as they are. */
  async #apply(wanted: PipelinePlan): Promise<string | null> {
    const former = this.#plan;
    const plan = withSilence(former, wanted);
    const isCaptureUp = this.#keeper.isUp;
    // Its camera was away before: the new plan is not to blame, and what shall be on air until it is back is what it says.
    const isCameraAway = !isCaptureUp && this.#keeper.state.kind === 'no-signal' && former?.capture.source.id === plan.capture.source.id;
    this.#isTrial = former !== null && isCaptureUp;
    const problem = await this.#perform(captureSteps(former, plan, isCaptureUp));
    this.#isTrial = false;
    // Without a former capture to go back to, this one is tried again and again, and its outputs are ready for that moment.
    const isOnlyOne = former === null || (!isCaptureUp && isSameCapture(former.capture, plan.capture));
    const isCardUp = isCameraAway && this.#keeper.state.kind === 'no-signal';
    if (problem === null || isOnlyOne || isCardUp) {
      this.#plan = plan;
      await this.#perform(outputSteps(former, plan));
      return isCardUp ? null : problem;
    }
    const steps = captureSteps(plan, former, this.#keeper.isUp);
    const secondProblem = await this.#perform(steps);
    if (steps.every(({ kind }) => kind !== 'switch-capture')) return problem;
    return secondProblem === null
      ? `${problem}; the former pipeline runs again`
      : `${problem}; the former pipeline does not run either: ${secondProblem}`;
  }

  /** Stops at the first problem. */
  async #perform(steps: readonly Step[]): Promise<string | null> {
    for (const step of steps) {
      const problem = await this.#performStep(step);
      if (problem !== null) return problem;
    }
    return null;
  }

  #performStep(step: Step): Promise<string | null> | string | null {
    switch (step.kind) {
      case 'switch-capture':
        return this.#keeper.run(step.capture, step.live);
      case 'set-card':
        this.#keeper.setCard(step.card);
        return null;
      case 'set-live':
        this.#rate.onPlanInForce();
        return this.#keeper.setLive(step.live);
      case 'stop-output':
        this.#stopOutput(this.#outputs.get(step.id));
        this.#outputs.delete(step.id);
        return null;
      case 'start-output':
        this.#startOutput(step.output);
        return null;
      default:
        return step satisfies never;
    }
  }

  #startOutput(plan: PlannedOutput): void {
    const { clock, random, onState, onEvent } = this.#options;
    const output = this.#outputMaker.make(plan, { bus: this.#bus, clock, random, onState, onEvent });
    this.#outputs.set(plan.id, output);
    output.start();
  }

  #stopOutput(output: Output | undefined): void {
    output?.stop();
    const settled = output?.settled?.();
    if (settled === undefined) return;
    this.#settling.add(settled);
    void settled.finally(() => this.#settling.delete(settled));
  }

  #onTag(tag: Tag): void {
    const monotonicMs = this.#options.clock.monotonicMs();
    this.#meter.add(tag);
    this.#content.addTag(tag);
    const placed = this.#timeLine.place(tag, monotonicMs);
    this.#bus.publish(placed);
    this.#nextPicture.onTag(placed, () => this.#bus.headers());
    this.#advanceOutputs();
  }

  #onSamples(block: Buffer): void {
    const rateHz = this.#content.addSamples(block, this.#options.clock.monotonicMs());
    if (rateHz !== null) this.#keeper.setSoundRate(rateHz);
  }

  #advanceOutputs(): void {
    for (const output of this.#outputs.values()) output.advance();
  }

  /** Failures and recoveries belong in the history: each once, not with each attempt. */
  #onCaptureState(state: MediaState): void {
    const said = this.#said;
    if ((state.kind === 'failed' || state.kind === 'no-signal') && !this.#isTrial) {
      const { kind, reason } = state;
      const isNews = said?.kind !== kind || (kind === 'failed' && said.reason !== reason);
      if (isNews) this.#options.onEvent(kind === 'failed' ? 'pipeline-failed' : 'no-signal', reason);
      this.#said = { kind, reason };
    }
    if (state.kind === 'running' && said !== null) {
      this.#said = null;
      this.#options.onEvent(said.kind === 'failed' ? 'pipeline-recovered' : 'signal-back', '');
    }
    this.#options.onState();
  }
}
