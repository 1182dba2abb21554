/**
 * Desired documents on their way to devices. Those of a large fleet go out in pieces, with a turn for others between.
 *
 * INVARIANT: of a device's documents that wait the newest counts, and nothing older follows a newer one.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '#fleet-server/log.ts';
import type { Desired } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';

export type Outgoing = { readonly deviceId: string; readonly desired: Desired };

export type DesiredOutboxOptions = {
  readonly log: Log;
  isConnected(deviceId: string): boolean;
  publish(deviceId: string, desired: Desired): Promise<unknown>;
  publishChange(change: Change): void;
};

/** In one go: encoding and sending each takes some 50 µs. */
const sentAtOnce = 250;

export class DesiredOutbox {
  readonly #options: DesiredOutboxOptions;
  /** Of each device the newest document that waits for its turn. */
  readonly #unsent = new Map<string, Desired>();
  #sending: Promise<void> | null = null;

  constructor(options: DesiredOutboxOptions) {
    this.#options = options;
  }

  /** What is not sent yet goes out with each device's next hello. */
  async stop(): Promise<void> {
    this.#unsent.clear();
    await this.#sending;
  }

  send(outgoing: readonly Outgoing[]): void {
    if (outgoing.length <= sentAtOnce) {
      for (const one of outgoing) this.#sendOne(one);
      return;
    }
    for (const { deviceId, desired } of outgoing) if (!this.#isOutdated(deviceId, desired)) this.#unsent.set(deviceId, desired);
    this.#sending ??= this.#sendInPieces();
  }

  async #sendInPieces(): Promise<void> {
    while (this.#unsent.size > 0) {
      let count = 0;
      for (const [deviceId, desired] of this.#unsent) {
        this.#sendOne({ deviceId, desired });
        count += 1;
        if (count === sentAtOnce) break;
      }
      await nextTurn();
    }
    this.#sending = null;
  }

  /** A newer document waits to be sent. */
  #isOutdated(deviceId: string, { revision }: Desired): boolean {
    return (this.#unsent.get(deviceId)?.revision ?? 0) > revision;
  }

  #sendOne({ deviceId, desired }: Outgoing): void {
    const { isConnected, log, publish, publishChange } = this.#options;
    if (this.#isOutdated(deviceId, desired)) return;
    this.#unsent.delete(deviceId);
    publishChange({ subject: 'device-settings', deviceId });
    publishChange({ subject: 'device', deviceId });
    // One that is not connected gets it with its hello.
    if (!isConnected(deviceId)) return;
    publish(deviceId, desired).catch((err: unknown) => log.error({ err, deviceId }, 'a desired document could not be sent'));
  }
}
