/**
 * How much may be under way to a target whose way has become narrow: what is handed over can no longer be dropped by groups. Pure.
 *
 * That little arrived says something of a way only while it has more to carry. An encoder that was held up for a moment gives
 * little, too, and what it then gives at once is not to wait for that.
 */

/** A keyframe goes out whole all the same. */
const leastBytes = 16 * 1024;
/** At the rate that the way carries. */
const narrowRoomMs = 800;

export class WayRoom {
  /** Null while nothing is known against it. */
  #carriesKbps: number | null = null;
  /** Since it was last learned from, more was to be handed over than there was room for. */
  #wasFilled = false;

  /** `wayMs`: what the way takes there and back. */
  hasRoom(waitingBytes: number, wayMs: number): boolean {
    // Kilobits a second are bits a millisecond.
    const isFilled = this.#carriesKbps !== null && waitingBytes > Math.max(leastBytes, (this.#carriesKbps * (narrowRoomMs + wayMs)) / 8);
    this.#wasFilled ||= isFilled;
    return !isFilled;
  }

  /** After each look. `deliveredKbps`: what arrived of late; null where that is not known yet. */
  learn(isBehind: boolean, deliveredKbps: number | null): void {
    if (isBehind) this.#carriesKbps = deliveredKbps;
    else if (this.#carriesKbps !== null && this.#wasFilled) this.#carriesKbps *= 2;
    this.#wasFilled = false;
  }

  clear(): void {
    this.#carriesKbps = null;
    this.#wasFilled = false;
  }
}
