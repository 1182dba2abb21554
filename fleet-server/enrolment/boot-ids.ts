/**
 * The boots in which devices were heard: a board has one at a time, and none comes back. One that does, after another was heard, lives beside
 * it: two boards. In memory alone, since both are heard again within seconds of each other; bounded.
 */
const keptBoots = 4;
const maxDevices = 20_000;
/** What is older may be a machine that was put back to a former state as a whole. */
const keptMs = 600_000;

type Boot = { readonly bootId: string; readonly atMs: number };

export class BootIds {
  /** The newest boot of a device is its last; the device heard last is the last. */
  readonly #boots = new Map<string, readonly Boot[]>();

  /** Whether this boot was heard of late, and another one after it. */
  hasReturned(deviceId: string, bootId: string, nowMs: number): boolean {
    const before = (this.#boots.get(deviceId) ?? []).filter(({ atMs }) => nowMs - atMs < keptMs);
    const isNewest = before.at(-1)?.bootId === bootId;
    const hasReturned = !isNewest && before.some((boot) => boot.bootId === bootId);
    const boots = [...before.filter((boot) => boot.bootId !== bootId), { bootId, atMs: nowMs }].slice(-keptBoots);
    this.#boots.delete(deviceId);
    this.#boots.set(deviceId, boots);
    const oldest = this.#boots.keys().next();
    if (this.#boots.size > maxDevices && oldest.done !== true) this.#boots.delete(oldest.value);
    return hasReturned;
  }
}
