/**
 * Keeps one capture on air: restarts it for as long as it is wanted, has the "no signal" card stand in for it meanwhile, and
 * says in what state it is.
 *
 * INVARIANTS
 * - One source is on air at a time; each goes on air with its headers and a keyframe.
 * - What is on air stays there until what follows has a keyframe, or has to give up its device for it.
 * - Restarts of its own have a bound an hour, which holds up nothing that is likely to succeed: a camera that is back, another plan,
 *   a restart that somebody asks for.
 */
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import { type Clock, timeOf } from '#device/media/clock.ts';
import { nodeStamp, whyNotAtNode } from '#device/media-host/camera-node.ts';
import { Capture, type CaptureFailure, type CaptureHandlers, type CaptureParts } from '#device/media-host/capture.ts';
import { CardWriter } from '#device/media-host/card-writer.ts';
import type { ControlOutcome } from '#device/media-host/encoder-control.ts';
import { EntryGate } from '#device/media-host/entry-gate.ts';
import type { Tag } from '#device/media-host/flv.ts';
import { describeMicrophoneFault } from '#device/media-host/microphone-fault.ts';
import { MicrophoneProbe } from '#device/media-host/microphone-probe.ts';
import { cardElement, NoSignalCard } from '#device/media-host/no-signal-card.ts';
import { isSameBeside } from '#device/media-host/planner.ts';
import type { ElementControl } from '#device/media-host/rate-follower.ts';
import { RestartAllowance } from '#device/media-host/restart-allowance.ts';
import { whyNotAtCard } from '#device/media-host/sound-card.ts';
import type { CapturePlan, CardPlan, LiveProperty } from '#device/plan/pipeline-plan.ts';
import type { MediaState } from '#protocol/media.ts';

export type CaptureKeeperHandlers = {
  /** Tags of another source or a new run follow, with a time line of their own. */
  readonly onStart: () => void;
  readonly onTag: (tag: Tag) => void;
  readonly onPicture: (picture: Buffer) => void;
  readonly onLookFailed: (reason: string, retryMs: number) => void;
  readonly onSamples: (block: Buffer) => void;
  readonly onTick: () => void;
  readonly onLuma: (grey: Buffer) => void;
  readonly onState: (state: MediaState) => void;
};

/** A capture that ran this long was not at fault when it stops: the waits begin anew. */
const provenAfterMs = 30_000;
const restartPolicy: BackOffPolicy = { firstMs: 500, factor: 2, capMs: 10_000, jitter: 0.3 };
/** Where somebody waits for the camera to be plugged in again; a look that finds none costs little. */
const cardRestartPolicy: BackOffPolicy = { firstMs: 250, factor: 1.5, capMs: 1000, jitter: 0.2 };
/** How often it is looked whether a camera whose restart is held up has been away meanwhile. */
const heldLookMs = 1000;
/** A camera that is back may refuse at first: its rights are given after its node, and its firmware starts. So long nothing is held up. */
const settlingMs = 10_000;
const longestReason = 500;
/**
 * Viewers and restreaming services must not wait longer for the card. A source of a few frames a second gets four of its
 * frames' time.
 */
const quietBoundMs = 1200;
const quietFrames = 4;
const quietCheckMs = 200;
/** As the planner names it. */
const microphoneElement = 'microphone';
/** An encoder that only one pipeline can have: the card leaves it to the next try. */
const encoderElement = 'encoder';

type Outcome = (problem: string | null) => void;

/** What it looks at and starts; another is for tests. */
export type CaptureWorld = {
  readonly whyAway: typeof whyNotAtNode;
  readonly whyUnheard: typeof whyNotAtCard;
  readonly nodeStamp: typeof nodeStamp;
  readonly newCapture: (...parts: ConstructorParameters<typeof Capture>) => KeptCapture;
};
type KeptCapture = Pick<
  Capture,
  'description' | 'start' | 'stop' | 'setLive' | 'setControl' | 'setText' | 'setSoundRate' | 'askForKeyframe'
>;

const thisWorld: CaptureWorld = {
  whyAway: whyNotAtNode,
  whyUnheard: whyNotAtCard,
  nodeStamp,
  newCapture: (...parts) => new Capture(...parts),
};

export class CaptureKeeper {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #handlers: CaptureKeeperHandlers;
  readonly #card: NoSignalCard;
  readonly #writer: CardWriter;
  readonly #probe: MicrophoneProbe;
  readonly #gate = new EntryGate();
  readonly #allowance = new RestartAllowance();
  readonly #world: CaptureWorld;
  #state: MediaState;
  /** Of `since` in it, by the monotonic clock. */
  #sinceMs: number;
  #plan: CapturePlan | null = null;
  #capture: KeptCapture | null = null;
  #withoutMicrophone: KeptCapture | null = null;
  #microphoneLostAt: string | null = null;
  #microphoneLostMs = 0;
  #microphoneFault = '';
  /** Since it was heard for long. */
  #microphoneReturns = 0;
  /** What is wrong with a file that plays all the same. */
  #fileFault = '';
  #live: readonly LiveProperty[] = [];
  #attempt = 0;
  #wasAway = false;
  #settlesFromMs = Number.NEGATIVE_INFINITY;
  #losses = 0;
  #runningSinceMs: number | null = null;
  /** Of whatever is on air; null before the first picture of all. */
  #lastFrameMs: number | null = null;
  #cancelRestart: () => void = () => undefined;
  #cancelQuietCheck: () => void = () => undefined;
  #onOutcome: Outcome | null = null;

  constructor(clock: Clock, random: () => number, handlers: CaptureKeeperHandlers, world = thisWorld) {
    this.#clock = clock;
    this.#world = world;
    this.#random = random;
    this.#handlers = handlers;
    this.#state = { kind: 'stopped', since: this.#timestamp() };
    this.#sinceMs = clock.monotonicMs();
    this.#card = new NoSignalCard(clock, {
      onAir: handlers.onStart,
      onTag: (tag) => this.#onTag(tag),
      onPicture: handlers.onPicture,
      onFailed: (reason) => this.#onCardFailed(reason),
    });
    this.#writer = new CardWriter(clock, (text) => {
      if (this.#isCardItself()) this.#capture?.setText(cardElement, text);
      else this.#card.setText(text);
    });
    this.#probe = new MicrophoneProbe(
      clock,
      () => this.#onMicrophoneBack(),
      (said) => this.#onMicrophoneFault(said),
    );
  }

  get state(): MediaState {
    const now = { nowMs: this.#clock.nowMs(), monotonicMs: this.#clock.monotonicMs() };
    const state = { ...this.#state, since: timeOf(this.#state.since, this.#sinceMs, now) };
    if (state.kind !== 'running' || state.microphoneLostAt === undefined) return state;
    return { ...state, microphoneLostAt: timeOf(state.microphoneLostAt, this.#microphoneLostMs, now) };
  }

  /** What the plan asks for is on air, be it the card of a camera that nobody has seen. */
  get isUp(): boolean {
    return this.#gate.isOpen;
  }

  /** How often a capture that ran has failed: each time GStreamer's v4l2src may keep a descriptor for good. */
  get losses(): number {
    return this.#losses;
  }

  /**
   * The old capture is stopped and the new one started: devices are exclusive. Resolves with null at the first keyframe, or
   * with why there is none; the keeper goes on trying until it is told otherwise. A capture that runs already goes on.
   */
  run(plan: CapturePlan, live: readonly LiveProperty[]): Promise<string | null> {
    const isBesideSame = isSameBeside(this.#plan, plan);
    if (this.isUp && this.#current()?.description === plan.description && isBesideSame) return Promise.resolve(this.#adopt(plan, live));
    this.#stopCapture('another capture was asked for');
    if (this.#capture?.description !== plan.description || !isBesideSame) this.#capture = this.#newCapture(plan.description, plan);
    const spare = plan.withoutMicrophone?.description;
    if (this.#withoutMicrophone?.description !== spare || !isBesideSame)
      this.#withoutMicrophone = spare === undefined ? null : this.#newCapture(spare, plan);
    // A camera that is back under another number comes as another plan.
    if (plan.description !== this.#plan?.description) this.#settlesFromMs = this.#clock.monotonicMs();
    if (plan.withoutMicrophone?.probe !== this.#plan?.withoutMicrophone?.probe) this.#microphoneReturns = 0;
    this.#plan = plan;
    this.#live = live;
    this.#attempt = 0;
    this.#microphoneLostAt = null;
    this.#giveCard(plan.card ?? null);
    if (this.#state.kind !== 'no-signal') this.#enter({ kind: 'starting', since: this.#timestamp() });
    this.#watchForQuiet();
    return new Promise((resolve) => {
      this.#onOutcome = resolve;
      this.#startCapture();
    });
  }

  /** The same, also where it runs. */
  restart(): Promise<string | null> {
    const plan = this.#plan;
    if (plan === null) return Promise.resolve('there is no capture to restart');
    this.#stopCapture('the capture was restarted');
    this.#allowance.spend(this.#clock.monotonicMs());
    return this.run(plan, this.#live);
  }

  setLive(live: readonly LiveProperty[]): string | null {
    const problem = this.#current()?.setLive(live) ?? null;
    if (problem === null) this.#live = live;
    return problem;
  }

  /** Of an element's device; what it is set to does not outlive the run. */
  setControl(control: ElementControl): Promise<ControlOutcome> {
    return this.#current()?.setControl(control) ?? Promise.resolve({ kind: 'not-open' });
  }

  /** Text and bitrate of the card, while the capture goes on. */
  setCard(card: CardPlan | null): void {
    if (this.#plan !== null) this.#plan = withCard(this.#plan, card);
    this.#giveCard(card);
  }

  askForKeyframe(): void {
    this.#current()?.askForKeyframe();
  }

  /** The rate that the source's sound is said to have, where the plan lets it be told. */
  setSoundRate(rateHz: number): void {
    this.#current()?.setSoundRate(rateHz);
  }

  /** May be called twice. */
  stop(): void {
    this.#stopCapture('stopped');
    this.#card.stop();
    this.#cancelQuietCheck();
    if (this.#state.kind !== 'stopped') this.#enter({ kind: 'stopped', since: this.#timestamp() });
  }

  #current(): KeptCapture | null {
    return this.#microphoneLostAt === null ? this.#capture : this.#withoutMicrophone;
  }

  /** Of a camera that nobody has seen: nothing else can stand in for it. */
  #isCardItself(): boolean {
    return this.#plan?.source.kind === 'no-signal';
  }

  #giveCard(card: CardPlan | null): void {
    this.#card.setPlan(this.#isCardItself() ? null : card);
    this.#writer.setTitle(card?.title ?? '');
  }

  /** What runs is what the new plan asks for: it is kept, and is called by its new name. */
  #adopt(plan: CapturePlan, live: readonly LiveProperty[]): string | null {
    const running = this.#current();
    if (running === this.#withoutMicrophone) {
      this.#probe.stop();
      this.#capture = running;
      this.#withoutMicrophone = null;
      this.#microphoneLostAt = null;
    }
    this.#plan = plan;
    this.#enter(this.#upState(this.#state.since));
    this.#giveCard(plan.card ?? null);
    return this.setLive(live);
  }

  #newCapture(description: string, parts: CaptureParts): KeptCapture {
    const handlers: CaptureHandlers = {
      onTag: (tag) => {
        for (const passed of this.#gate.pass(tag, () => this.#goOnAir())) this.#onTag(passed);
      },
      onPicture: (picture) => this.#gate.isOpen && this.#handlers.onPicture(picture),
      onLookFailed: this.#handlers.onLookFailed,
      onSamples: (block) => this.#gate.isOpen && this.#handlers.onSamples(block),
      onTick: () => this.#gate.isOpen && this.#handlers.onTick(),
      onLuma: (grey) => this.#gate.isOpen && this.#handlers.onLuma(grey),
      onFileFault: (fault) => this.#onFileFault(fault),
      onFailed: (failure) => this.#onFailed(failure),
    };
    return this.#world.newCapture(description, this.#clock, handlers, parts);
  }

  #onFileFault(fault: string): void {
    this.#fileFault = fault.slice(0, longestReason);
    if (this.#state.kind === 'running') this.#enter(this.#upState(this.#state.since));
  }

  #onTag(tag: Tag): void {
    if (tag.kind === 'video' && !tag.isHeader) this.#lastFrameMs = this.#clock.monotonicMs();
    this.#handlers.onTag(tag);
  }

  #startCapture(): void {
    this.#gate.reset();
    this.#fileFault = '';
    const { devicePath, deviceUsb } = this.#plan ?? {};
    const isAway = devicePath === undefined ? null : this.#world.whyAway(devicePath, deviceUsb);
    this.#noteWhetherAway(isAway !== null);
    if (isAway !== null) {
      this.#onFailed({ reason: isAway, element: null, isStandstill: false }, true);
      return;
    }
    const isUnheard = this.#microphoneLostAt === null ? this.#whyUnheard() : null;
    if (isUnheard !== null) {
      this.#onFailed({ reason: isUnheard, element: microphoneElement, isStandstill: false }, true);
      return;
    }
    const problem = this.#current()?.start(this.#live) ?? null;
    if (problem === null) {
      if (this.#isCardItself()) this.#writer.start();
      return;
    }
    this.#onFailed({ reason: problem, element: null, isStandstill: false }, true);
    // What cannot be parsed now cannot be parsed later by this process, and each trial leaks.
    this.#cancelRestart();
  }

  #whyUnheard(): string | null {
    return this.#world.whyUnheard(this.#plan?.withoutMicrophone?.card);
  }

  #noteWhetherAway(isAway: boolean): void {
    if (this.#wasAway && !isAway) {
      this.#settlesFromMs = this.#clock.monotonicMs();
      this.#attempt = 0;
    }
    this.#wasAway = isAway;
  }

  #stopCapture(why: string): void {
    this.#cancelRestart();
    this.#probe.stop();
    this.#capture?.stop();
    this.#withoutMicrophone?.stop();
    this.#gate.reset();
    this.#runningSinceMs = null;
    this.#settle(why);
  }

  #goOnAir(): void {
    this.#card.stop();
    this.#handlers.onStart();
    this.#runningSinceMs ??= this.#clock.monotonicMs();
    const isStillAway = this.#isCardItself() && this.#state.kind === 'no-signal';
    this.#enter(this.#upState(isStillAway ? this.#state.since : this.#timestamp()));
    const { withoutMicrophone } = this.#plan ?? {};
    if (this.#microphoneLostAt !== null && withoutMicrophone !== undefined)
      this.#probe.start(withoutMicrophone.probe, this.#microphoneReturns + 1, () => this.#whyUnheard());
    this.#card.prepare();
    this.#settle(null);
  }

  #upState(since: string): MediaState {
    const source = this.#plan?.source;
    if (source?.kind === 'no-signal') return { kind: 'no-signal', since, reason: source.label };
    const fileFault = this.#fileFault === '' ? {} : { fileFault: this.#fileFault };
    if (this.#microphoneLostAt === null) return { kind: 'running', since, ...fileFault };
    return { kind: 'running', since, ...fileFault, microphoneLostAt: this.#microphoneLostAt, microphoneFault: this.#microphoneFault };
  }

  #onFailed(failure: CaptureFailure, isUnopened = false): void {
    const { reason, element } = failure;
    const ranMs = this.#runningSinceMs === null ? 0 : this.#clock.monotonicMs() - this.#runningSinceMs;
    this.#attempt = ranMs >= provenAfterMs ? 1 : this.#attempt + 1;
    if (ranMs >= provenAfterMs && this.#microphoneLostAt === null) this.#microphoneReturns = 0;
    this.#gate.reset();
    this.#probe.stop();
    if (element === microphoneElement && this.#withoutMicrophone !== null && this.#microphoneLostAt === null) {
      this.#microphoneLostAt = this.#timestamp();
      this.#microphoneLostMs = this.#clock.monotonicMs();
      this.#microphoneFault = describeMicrophoneFault(reason);
      this.#startCapture();
      return;
    }
    // Also where its microphone, that it took along, was missed first.
    if (this.#runningSinceMs !== null) this.#losses += 1;
    this.#runningSinceMs = null;
    // The next try is one with everything: a camera that takes its microphone along comes back with it.
    this.#microphoneLostAt = null;
    const said = reason.slice(0, longestReason);
    if (element === encoderElement) this.#card.stop();
    const hasCard = element !== encoderElement && this.#card.start();
    const policy = hasCard || isUnopened ? cardRestartPolicy : restartPolicy;
    const backOffMs = backOffDelay(policy, this.#attempt, this.#random());
    const isLook = isUnopened || this.#isOnlyLook(failure);
    const isSettling = this.#clock.monotonicMs() - this.#settlesFromMs < settlingMs;
    const holdMs = isLook || isSettling ? 0 : this.#allowance.holdMs(this.#clock.monotonicMs());
    const isHeld = holdMs > backOffMs;
    this.#enterFailure(said, hasCard, isHeld ? new Date(this.#clock.nowMs() + holdMs).toISOString() : undefined);
    if (isHeld) this.#holdRestart(this.#clock.monotonicMs() + holdMs);
    else this.#cancelRestart = this.#clock.schedule(() => (isLook ? this.#startCapture() : this.#restartCapture()), backOffMs);
    this.#settle(said);
  }

  /** Of what has no node only a try can tell whether it is there: that it ends in an error is the answer. */
  #isOnlyLook({ element, isStandstill }: CaptureFailure): boolean {
    const kind = this.#plan?.source.kind;
    return (kind === 'element' || kind === 'file') && !isStandstill && element !== encoderElement;
  }

  #restartCapture(): void {
    this.#allowance.spend(this.#clock.monotonicMs());
    this.#startCapture();
  }

  /** A camera that was pulled out and put in meanwhile need not wait. */
  #holdRestart(untilMs: number): void {
    const path = this.#plan?.devicePath;
    const stamp = path === undefined ? null : this.#world.nodeStamp(path);
    const look = () => {
      const leftMs = untilMs - this.#clock.monotonicMs();
      const isSame = path === undefined || this.#world.nodeStamp(path) === stamp;
      if (leftMs > 0 && isSame) {
        this.#cancelRestart = this.#clock.schedule(look, Math.min(leftMs, heldLookMs));
        return;
      }
      this.#wasAway ||= !isSame;
      const state = this.#state;
      if (state.kind === 'no-signal' || state.kind === 'failed') this.#enterFailure(state.reason, state.kind === 'no-signal');
      this.#restartCapture();
    };
    look();
  }

  /** It stays as it is until frames come: a state that flickers with each attempt tells nobody anything. */
  #enterFailure(reason: string, hasCard: boolean, nextTryAt?: string): void {
    const kind = hasCard ? 'no-signal' : 'failed';
    const isSame = this.#state.kind === kind && (kind === 'no-signal' || this.#state.reason === reason);
    const since = isSame ? this.#state.since : this.#timestamp();
    this.#enter({ kind, since, reason, ...(nextTryAt === undefined ? {} : { nextTryAt }) });
  }

  /** The failure of the capture is told with it: that one has to be mended. */
  #onCardFailed(cardReason: string): void {
    const { reason, nextTryAt } = this.#state.kind === 'no-signal' ? this.#state : { reason: '' };
    if (!this.#gate.isOpen) this.#enterFailure(`${reason}; nor does the card run: ${cardReason}`.slice(0, longestReason), false, nextTryAt);
  }

  #onMicrophoneBack(): void {
    if (!this.isUp || this.#microphoneLostAt === null) return;
    this.#withoutMicrophone?.stop();
    this.#microphoneLostAt = null;
    this.#microphoneReturns += 1;
    this.#runningSinceMs = null;
    this.#startCapture();
  }

  /** Another reason than before: it was pulled out, and now another program has it. */
  #onMicrophoneFault(said: string): void {
    const fault = describeMicrophoneFault(said);
    if (this.#microphoneLostAt === null || this.#state.kind !== 'running' || fault === this.#microphoneFault) return;
    this.#microphoneFault = fault;
    this.#enter(this.#upState(this.#state.since));
  }

  /** A camera that hangs says nothing: the card stands in before anybody gives up the connection. */
  #watchForQuiet(): void {
    this.#cancelQuietCheck();
    this.#cancelQuietCheck = this.#clock.schedule(() => {
      this.#watchForQuiet();
      const quietMs = this.#lastFrameMs === null ? 0 : this.#clock.monotonicMs() - this.#lastFrameMs;
      const boundMs = Math.max(quietBoundMs, (quietFrames * 1000) / Math.max(1, this.#plan?.framesPerSecond ?? 1));
      if (quietMs < boundMs || this.#card.isStarted || !this.#card.start()) return;
      this.#gate.close();
      this.#enterFailure('the source gives no picture', true);
    }, quietCheckMs);
  }

  #settle(problem: string | null): void {
    const settle = this.#onOutcome;
    this.#onOutcome = null;
    settle?.(problem);
  }

  #enter(state: MediaState): void {
    if (state.since !== this.#state.since) this.#sinceMs = this.#clock.monotonicMs();
    this.#state = state;
    if (state.kind === 'no-signal') this.#writer.start();
    else if (state.kind !== 'starting') this.#writer.stop();
    this.#handlers.onState(state);
  }

  #timestamp(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}

function withCard(plan: CapturePlan, card: CardPlan | null): CapturePlan {
  const { card: _, ...rest } = plan;
  return card === null ? rest : { ...rest, card };
}
