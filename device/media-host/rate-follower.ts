/** Has the encoder's bitrate follow what the targets take: reads the outputs, asks the governor, tells the encoder. */
import type { ControlOutcome } from '#device/media-host/encoder-control.ts';
import { type ObedienceState, watchObedience } from '#device/media-host/encoder-obedience.ts';
import type { Output } from '#device/media-host/output.ts';
import { correctGovernor, describeGovernor, type GovernorState, govern, startGovernor } from '#device/media-host/rate-governor.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { AdaptivePlan, LiveProperty, PipelinePlan } from '#device/plan/pipeline-plan.ts';
import type { BitrateAdaptation } from '#protocol/media.ts';

/** Less than so much of a change is not worth the encoder's attention. */
const smallestChange = 0.02;
/** What refused once will mostly refuse again, and each trial costs a process. */
const refusalHoldMs = 60_000;
/** A narrow way shows within this after the hold: where none does, nothing is refused any more. */
const refusalForgottenMs = 10_000;

export type ElementControl = { readonly element: string; readonly controlId: number; readonly value: number };

export type RateFollowerOptions = {
  readonly setLive: (live: readonly LiveProperty[]) => string | null;
  /** Never rejects. */
  readonly setControl: (control: ElementControl) => Promise<ControlOutcome>;
};

export type RateMoment = {
  readonly nowMs: number;
  readonly plan: PipelinePlan;
  readonly outputs: Iterable<Pick<Output, 'plan' | 'uplink'>>;
  readonly audioKbps: number;
  /** What left the encoder in the last second; null: nothing is known of it. */
  readonly videoKbps: number | null;
};

export class RateFollower {
  readonly #options: RateFollowerOptions;
  #governor: GovernorState | null = null;
  /** By which the encoder was last told anything; null: it never was. */
  #adaptive: AdaptivePlan | null = null;
  /** What the encoder of the capture that runs was told last, or gives in spite of it; null: what its plan says. */
  #setKbps: number | null = null;
  /** Counts captures and their settings: what an encoder answers that is there no more is of no use. */
  #run = 0;
  #isWaiting = false;
  #obedience: ObedienceState | null = null;
  #refusal: { readonly reason: string; readonly untilMs: number } | null = null;

  constructor(options: RateFollowerOptions) {
    this.#options = options;
  }

  /** The encoder has just been told what stands in the plan: a capture has started, or somebody has changed its settings. */
  onPlanInForce(): void {
    this.#run += 1;
    this.#setKbps = null;
    this.#isWaiting = false;
    this.#obedience = null;
    this.#refusal = null;
  }

  /** To be called some times a second while the capture runs. */
  advance({ nowMs, plan, outputs, audioKbps, videoKbps }: RateMoment): void {
    const { adaptive } = plan;
    if (this.#refusal !== null && nowMs < this.#refusal.untilMs) return;
    if (this.#refusal !== null && nowMs >= this.#refusal.untilMs + refusalForgottenMs) this.#refusal = null;
    if (adaptive === undefined) {
      this.#governor = null;
      // Nobody wants it to follow any more: it is not to stay where the uplink last had it.
      if (this.#adaptive !== null) this.#tell(this.#adaptive, plan.live, this.#adaptive.maximumKbps, nowMs);
      return;
    }
    const readings = new Map<string, UplinkReading>();
    let hasStream = false;
    let isStreaming = false;
    for (const output of outputs) {
      hasStream ||= output.uplink !== undefined;
      const uplink = output.uplink?.() ?? null;
      isStreaming ||= uplink !== null;
      if (uplink !== null && uplink !== 'unread') readings.set(output.plan.id, uplink);
    }
    // Where no stream is wanted any more, what its way carried is nothing to a recording, nor to the next stream.
    const former = hasStream ? this.#governor : null;
    this.#governor = govern(former ?? startGovernor(adaptive), { nowMs, bounds: adaptive, audioKbps, isStreaming, readings });
    this.#tell(adaptive, plan.live, this.#governor.kbps, nowMs);
    if (videoKbps !== null) this.#watch(adaptive, videoKbps, nowMs);
  }

  /** Null where the bitrate does not follow. */
  status(plan: PipelinePlan | null): BitrateAdaptation | null {
    const adaptive = plan?.adaptive;
    if (this.#governor === null || adaptive === undefined) return null;
    const described = describeGovernor(this.#governor, adaptive);
    if (this.#refusal === null) return described;
    return { ...described, bitrateKbps: this.#setKbps ?? adaptive.maximumKbps, limitedBy: null, reason: this.#refusal.reason };
  }

  #tell(adaptive: AdaptivePlan, live: readonly LiveProperty[], kbps: number, nowMs: number): void {
    const { element, property, controlId, unitsPerKbps, maximumKbps } = adaptive;
    const inForce = this.#setKbps ?? maximumKbps;
    const isSmall = Math.abs(kbps - inForce) < inForce * smallestChange;
    if (this.#isWaiting || kbps === inForce || (isSmall && kbps !== maximumKbps)) return;
    this.#adaptive = adaptive;
    const value = Math.round(kbps * unitsPerKbps);
    if (controlId !== undefined) {
      void this.#tellControl({ element, controlId, value }, kbps, nowMs);
      return;
    }
    const others = live.filter((entry) => entry.element !== element || entry.property !== property);
    if (this.#options.setLive([...others, { element, property, value }]) === null) this.#setKbps = kbps;
  }

  async #tellControl(control: ElementControl, kbps: number, nowMs: number): Promise<void> {
    const run = this.#run;
    this.#isWaiting = true;
    const outcome = await this.#options.setControl(control);
    if (run !== this.#run) return;
    this.#isWaiting = false;
    if (outcome.kind === 'set') {
      this.#setKbps = kbps;
      this.#refusal = null;
    }
    if (outcome.kind === 'failed') this.#refuse(outcome.reason, nowMs);
  }

  #watch({ maximumKbps }: AdaptivePlan, givenKbps: number, nowMs: number): void {
    if (this.#setKbps === null || this.#isWaiting) return;
    const { state, ignoredKbps } = watchObedience(this.#obedience, { nowMs, toldKbps: this.#setKbps, maximumKbps, givenKbps });
    this.#obedience = state;
    if (ignoredKbps === null) return;
    const toldKbps = this.#setKbps;
    // Not what it was told: so it is told once more as soon as something else is wanted.
    this.#setKbps = Math.min(ignoredKbps, maximumKbps);
    this.#obedience = null;
    this.#refuse(`it was told ${toldKbps} kbit/s, and gives ${ignoredKbps} still`, nowMs);
  }

  #refuse(said: string, nowMs: number): void {
    const reason = `the encoder takes no other bitrate while it runs: ${said}`.slice(0, 500);
    this.#refusal = { reason, untilMs: nowMs + refusalHoldMs };
    if (this.#governor !== null && this.#adaptive !== null) {
      this.#governor = correctGovernor(this.#governor, this.#setKbps ?? this.#adaptive.maximumKbps);
    }
  }
}
