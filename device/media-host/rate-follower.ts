/** Has the encoder's bitrate follow what the targets take: reads the outputs, asks the governor, sets the property. */
import type { Output } from '#device/media-host/output.ts';
import { describeGovernor, type GovernorState, govern, startGovernor } from '#device/media-host/rate-governor.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { AdaptivePlan, LiveProperty, PipelinePlan } from '#device/plan/pipeline-plan.ts';
import type { BitrateAdaptation } from '#protocol/media.ts';

/** Less than so much of a change is not worth the encoder's attention. */
const smallestChange = 0.02;

export type RateFollowerOptions = {
  readonly setLive: (live: readonly LiveProperty[]) => string | null;
};

export type RateMoment = {
  readonly nowMs: number;
  readonly plan: PipelinePlan;
  readonly outputs: Iterable<Output>;
  readonly audioKbps: number;
};

export class RateFollower {
  readonly #options: RateFollowerOptions;
  #governor: GovernorState | null = null;
  /** What the encoder of the capture that runs was told last; null: what its plan says. */
  #setKbps: number | null = null;

  constructor(options: RateFollowerOptions) {
    this.#options = options;
  }

  /** The encoder has just been told what stands in the plan: a capture has started, or somebody has changed its settings. */
  onPlanInForce(): void {
    this.#setKbps = null;
  }

  /** To be called some times a second while the capture runs. */
  advance({ nowMs, plan, outputs, audioKbps }: RateMoment): void {
    const { adaptive } = plan;
    if (adaptive === undefined) {
      this.#governor = null;
      return;
    }
    const readings = new Map<string, UplinkReading>();
    for (const output of outputs) {
      const reading = output.uplink?.() ?? null;
      if (reading !== null) readings.set(output.plan.id, reading);
    }
    this.#governor = govern(this.#governor ?? startGovernor(adaptive), { nowMs, bounds: adaptive, audioKbps, readings });
    this.#set(adaptive, plan.live, this.#governor.kbps);
  }

  /** Null where the bitrate does not follow. */
  status(plan: PipelinePlan | null): BitrateAdaptation | null {
    return this.#governor === null || plan?.adaptive === undefined ? null : describeGovernor(this.#governor, plan.adaptive);
  }

  #set(adaptive: AdaptivePlan, live: readonly LiveProperty[], kbps: number): void {
    const { element, property, unitsPerKbps, maximumKbps } = adaptive;
    const inForce = this.#setKbps ?? maximumKbps;
    const isSmall = Math.abs(kbps - inForce) < inForce * smallestChange;
    if (isSmall && kbps !== maximumKbps) return;
    if (kbps === inForce) return;
    const others = live.filter((entry) => entry.element !== element || entry.property !== property);
    const problem = this.#options.setLive([...others, { element, property, value: Math.round(kbps * unitsPerKbps) }]);
    if (problem === null) this.#setKbps = kbps;
  }
}
