/** Counts who fetches a device's playlist: a player does so every two seconds, so one that did not for ten has gone. */
const goneAfterMs = 10_000;
const maxViewers = 10_000;

export class Audience {
  readonly #seenAtMs = new Map<string, number>();

  /** `nowMs` here and below: of a clock that is never set. */
  seen(deviceId: string, viewer: string, nowMs: number): void {
    const key = `${deviceId} ${viewer}`;
    // At the end again: the map stays in the order of the last sight.
    this.#seenAtMs.delete(key);
    this.#seenAtMs.set(key, nowMs);
    const oldest = this.#seenAtMs.keys().next();
    if (this.#seenAtMs.size > maxViewers && !oldest.done) this.#seenAtMs.delete(oldest.value);
  }

  /** Viewers by device. */
  count(nowMs: number): Map<string, number> {
    const viewers = new Map<string, number>();
    for (const [key, seenAtMs] of this.#seenAtMs) {
      const [deviceId = ''] = key.split(' ', 1);
      if (nowMs - seenAtMs > goneAfterMs) this.#seenAtMs.delete(key);
      else viewers.set(deviceId, (viewers.get(deviceId) ?? 0) + 1);
    }
    return viewers;
  }
}
