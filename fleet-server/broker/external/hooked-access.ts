/**
 * A broker that asks this server about each client. There is nothing to tell it; only the live connection of a device that was removed
 * must be cut. Every broker has one way for that: MQTT allows one connection to a client id (3.1.1, section 3.1.4), so this server connects as
 * that client, with its own user name, and leaves.
 */
import type { BrokerAddress } from '#fleet-server/broker/external/broker-address.ts';
import { BrokerLink } from '#fleet-server/broker/external/broker-link.ts';
import type { DeviceAccess } from '#fleet-server/broker/external/device-access.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import { maxPacketBytes } from '#protocol/topics.ts';

export type HookedAccessOptions = {
  readonly address: BrokerAddress;
  readonly caFile: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** For one that the broker does not answer: whoever was removed is refused at its next word in any case. */
const cutMs = 10_000;

export class HookedAccess implements DeviceAccess {
  readonly #options: HookedAccessOptions;
  readonly #cutting = new Set<Promise<void>>();

  constructor(options: HookedAccessOptions) {
    this.#options = options;
  }

  start(): void {}

  async stop(): Promise<void> {
    await Promise.all(this.#cutting);
  }

  async admit(): Promise<void> {}

  /** Who may come again is asked for each connection. */
  revoke(deviceId: string): Promise<void> {
    return this.cut(deviceId);
  }

  cut(deviceId: string): Promise<void> {
    const work = this.#takeItsPlace(deviceId).finally(() => this.#cutting.delete(work));
    this.#cutting.add(work);
    return work;
  }

  problem(): null {
    return null;
  }

  async #takeItsPlace(deviceId: string): Promise<void> {
    const { clock } = this.#options;
    let isDone: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      isDone = resolve;
    });
    const link = new BrokerLink({
      ...this.#options,
      clientId: deviceId,
      maxPacketBytes,
      subscriptions: [],
      onOpen: isDone,
      onMessage: (_topic, _payload, ready) => ready(),
      onLost: () => undefined,
    });
    const cancel = clock.after(cutMs, isDone);
    link.start();
    await taken;
    cancel();
    await link.stop();
  }
}
