/**
 * What the broker hands to this server: in the order of its coming for each device, several devices at once.
 *
 * INVARIANTS
 * - At most `maxAtOnce` messages are being dealt with; the connection is read no further meanwhile, and the rest waits in the broker.
 * - A message that fails is told as a problem of its device and costs nobody else anything.
 */
import type { BrokerHooks, BrokerProblem } from '#fleet-server/broker/contract.ts';
import { deliverUpward } from '#fleet-server/broker/deliver-upward.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { parseTopic } from '#protocol/topics.ts';

const maxAtOnce = 500;

export type UpwardIntakeOptions = {
  readonly hooks: Pick<BrokerHooks, 'handleUpward' | 'onPicture'>;
  readonly clock: Clock;
  onProblem(deviceId: string, problem: BrokerProblem): void;
};

export class UpwardIntake {
  readonly #options: UpwardIntakeOptions;
  readonly #chains = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #atOnce = 0;
  readonly ingest = new Histogram();
  #received = 0;

  constructor(options: UpwardIntakeOptions) {
    this.#options = options;
  }

  get received(): number {
    return this.#received;
  }

  /** `ready` is called when the next message may come. */
  take(topic: string, payload: Buffer, ready: () => void): void {
    const parsed = parseTopic(topic);
    if (parsed?.way !== 'up') {
      ready();
      return;
    }
    const { deviceId, name } = parsed;
    const { clock, hooks, onProblem } = this.#options;
    const arrivedMs = clock.nowMs();
    this.#received += 1;
    this.#atOnce += 1;
    const turn = (this.#chains.get(deviceId) ?? Promise.resolve()).then(async () => {
      const problem = await deliverUpward(hooks, deviceId, name, payload);
      if (problem !== undefined) onProblem(deviceId, problem);
      this.ingest.observe(clock.nowMs() - arrivedMs);
      this.#atOnce -= 1;
      if (this.#chains.get(deviceId) === turn) this.#chains.delete(deviceId);
      this.#waiting.shift()?.();
    });
    this.#chains.set(deviceId, turn);
    if (this.#atOnce < maxAtOnce) ready();
    else this.#waiting.push(ready);
  }

  /** Resolves when nothing is being dealt with any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#chains.values());
  }
}
