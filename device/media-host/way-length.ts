/**
 * Whether the way to a target is short. On a long one what arrives is known late and in bursts, and what was lost comes once more, all the
 * later: bounds that fit a short way held the bitrate at its floor there. Pure.
 */
const shortMs = 50;
/** A look. A way that has become narrow takes longer, too, while it is full: that it has become longer is believed slowly. */
const driftMs = 0.2;

export class WayLength {
  /** The least of late; null while nothing is known, and then the way may be long. */
  #roundTripMs: number | null = null;

  get isShort(): boolean {
    return this.#roundTripMs !== null && this.#roundTripMs < shortMs;
  }

  /** After each look: what the way there and back takes now; null where that is not known. */
  note(roundTripMs: number | null): void {
    if (roundTripMs !== null) this.#roundTripMs = Math.min(roundTripMs, (this.#roundTripMs ?? roundTripMs) + driftMs);
  }

  clear(): void {
    this.#roundTripMs = null;
  }
}
