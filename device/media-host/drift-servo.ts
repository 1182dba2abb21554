/**
 * Which rate a source's sound is to be said to have, so that it keeps pace with the picture: the resampler behind it then makes
 * slightly more or fewer samples, and nothing is cut. A proportional and integral controller, told each ten seconds. Pure.
 */
import type { Drift } from '#device/media-host/drift-meter.ts';

/** Parts in a million for each millisecond; for a clock that is wrong by 0.1 % the drift stays near 20 ms. */
const proportional = 80;
const integral = 5;
/** Beyond half a per cent it is no clock but another rate; the pitch would be heard. */
const maximumPpm = 5000;
/**
 * Each change is a seam in the sound: what is within the measurement's own noise is left as it is. Once a drift is worth it, it
 * is brought down, and what was learned of the clock's error stays set.
 */
const restMs = 12;
const doneMs = 2;

export class DriftServo {
  #integralPpm = 0;
  #isSteering = false;
  #rateHz: number | null = null;

  /** The rate to set, or null where the present one stays. */
  steer({ driftMs, rateHz }: Drift): number | null {
    const present = this.#rateHz ?? rateHz;
    const wasSteering = this.#isSteering;
    this.#isSteering = Math.abs(driftMs) >= (wasSteering ? doneMs : restMs);
    if (!this.#isSteering && !wasSteering) return null;
    if (this.#isSteering) this.#integralPpm = clamp(this.#integralPpm + integral * driftMs);
    const ppm = clamp((this.#isSteering ? proportional * driftMs : 0) + this.#integralPpm);
    const wanted = Math.round(rateHz * (1 + ppm / 1e6));
    if (wanted === present) return null;
    this.#rateHz = wanted;
    return wanted;
  }
}

function clamp(ppm: number): number {
  return Math.max(-maximumPpm, Math.min(maximumPpm, ppm));
}
