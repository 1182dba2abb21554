/**
 * How old the state of each device of a roll-out is: measured from when this server saw it first. The store has the time of day, which makes it
 * hours older when the clock is set meanwhile, or holds everything up when it is set back.
 *
 * INVARIANT: that a device stays well counts only while somebody sees it: not while no server leads, and not before it is back at one.
 */
import { type Clock, steadySince, steadyTime } from '#fleet-server/clock.ts';
import type { RolloutDeviceState, RolloutFacts, RolloutState } from '#fleet-server/rollouts/transition.ts';

type Seen = { readonly sinceMs: number; readonly steadySinceMs: number };

/** Kinds that end by themselves. */
const aging: readonly RolloutDeviceState['kind'][] = ['sent', 'soaking', 'troubled'];

export class Ages {
  readonly #clock: Clock;
  readonly nowMs: () => number;
  /** By roll-out. */
  readonly #seen = new Map<string, Map<string, Seen>>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.nowMs = steadyTime(clock);
  }

  /** As it stands in the store, with the steady time at which each device's state began. */
  measured(id: string, rollout: RolloutState, facts: RolloutFacts): RolloutState {
    const before = this.#seen.get(id);
    const seen = new Map<string, Seen>();
    const [nowMs, steadyNowMs] = [this.#clock.nowMs(), this.nowMs()];
    const devices = rollout.devices.map((device) => {
      if (!aging.includes(device.kind)) return device;
      const { sinceMs } = device;
      const known = before?.get(device.id);
      const isSeen = known?.sinceMs === sinceMs && facts.get(device.id)?.presence !== 'unknown';
      const unseenSinceMs = device.kind === 'soaking' ? steadyNowMs : steadySince(sinceMs, nowMs, steadyNowMs);
      const steadySinceMs = isSeen ? known.steadySinceMs : unseenSinceMs;
      seen.set(device.id, { sinceMs, steadySinceMs });
      return { ...device, sinceMs: steadySinceMs };
    });
    this.#seen.set(id, seen);
    return { ...rollout, devices };
  }

  /** What a step made of it, as people read it. */
  dated(id: string, before: RolloutState, after: RolloutState): RolloutState {
    const sinceMs = this.#clock.nowMs();
    const seen = this.#seen.get(id);
    const devices = after.devices.map((device, index) => {
      if (device === before.devices[index]) return device;
      seen?.set(device.id, { sinceMs, steadySinceMs: device.sinceMs });
      return { ...device, sinceMs };
    });
    return { ...after, devices };
  }

  /** Of those that are over, or looked after by another server, nothing is remembered. */
  keepOnly(ids: readonly string[]): void {
    for (const id of this.#seen.keys()) if (!ids.includes(id)) this.#seen.delete(id);
  }
}
