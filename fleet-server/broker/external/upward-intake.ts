/**
 * What the broker hands to this server: in the order of its coming for each device, several devices at once.
 *
 * INVARIANTS
 * - Each device has the allowance that it has at the broker of our own (message-allowance.ts). What is past it waits in its own lane, and takes no
 *   place from the others; what is past that too is dropped, health and pictures first, and its sender is cut.
 * - A device takes at most `placesOfOne` of the `places`. When all are taken, the connection is read no further, and the rest waits in the broker.
 * - What waits without a place is bounded. What is dropped comes again: events and results of commands until they are acknowledged, all else with
 *   the next hello or report.
 * - A message that fails is told as a problem of its device and costs nobody else anything.
 */
import type { BrokerHooks, BrokerProblem } from '#fleet-server/broker/contract.ts';
import { deliverUpward } from '#fleet-server/broker/deliver-upward.ts';
import { DeviceQueue, type Upward } from '#fleet-server/broker/external/device-queue.ts';
import { Allowances, floodingProblem } from '#fleet-server/broker/message-allowance.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { parseTopic } from '#protocol/topics.ts';

export const intakePolicy = {
  places: 500,
  placesOfOne: 16,
  /** Of all devices together. */
  maxHeld: 20_000,
  maxHeldBytes: 64 * 1_048_576,
  /** A device that goes on flooding is cut no more often: mosquitto writes its whole file for it. */
  cutGapMs: 10_000,
} as const;

const droppedProblem: BrokerProblem = {
  code: 'flooding',
  message: 'too much of all devices waits for this server; what came now is dropped',
};

export type UpwardIntakeOptions = {
  readonly hooks: Pick<BrokerHooks, 'handleUpward' | 'onPicture'>;
  readonly clock: Clock;
  onProblem(deviceId: string, problem: BrokerProblem): void;
  /** Its connection is to be cut; it may come again. */
  onFlood(deviceId: string): void;
};

type Lane = { readonly queue: DeviceQueue; turn: Promise<void>; wake: () => void };

export class UpwardIntake {
  readonly #options: UpwardIntakeOptions;
  readonly #allowances = new Allowances();
  readonly #lanes = new Map<string, Lane>();
  readonly #cutAtMs = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #placesTaken = 0;
  #held = 0;
  #heldBytes = 0;
  #isClosing = false;
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
    if (parsed?.way === 'up' && !this.#isClosing) this.#admit(parsed.deviceId, { name: parsed.name, payload });
    if (this.#placesTaken < intakePolicy.places || this.#isClosing) ready();
    else this.#waiting.push(ready);
  }

  /** Resolves when nothing is being dealt with any more. What waits without a place is dropped: the process ends. */
  async settled(): Promise<void> {
    this.#isClosing = true;
    for (const { wake } of this.#lanes.values()) wake();
    await Promise.all([...this.#lanes.values()].map(({ turn }) => turn));
  }

  #admit(deviceId: string, { name, payload }: Pick<Upward, 'name' | 'payload'>): void {
    const { clock, onProblem } = this.#options;
    const arrivedMs = clock.monotonicMs();
    const lane = this.#lanes.get(deviceId);
    const allowance = this.#allowances.take(deviceId, payload.length, arrivedMs);
    if (allowance.kind !== 'granted') onProblem(deviceId, floodingProblem);
    const hasPlace = allowance.kind === 'granted' && (lane?.queue.places ?? 0) < intakePolicy.placesOfOne;
    const isOver = allowance.kind === 'cut' || (!hasPlace && this.#isFull());
    // In the place of what is dropped for it, and no sooner than the last that waits.
    if (isOver && !this.#dropFor(lane?.queue, payload.length)) {
      if (allowance.kind !== 'cut') onProblem(deviceId, droppedProblem);
    } else {
      this.#received += 1;
      const dueMs = allowance.kind === 'wait' ? arrivedMs + allowance.delayMs : arrivedMs;
      this.#enter(deviceId, lane, { name, payload, arrivedMs, dueMs, hasPlace });
    }
    if (allowance.kind === 'cut') this.#cut(deviceId, arrivedMs);
  }

  #isFull(): boolean {
    return this.#held >= intakePolicy.maxHeld || this.#heldBytes >= intakePolicy.maxHeldBytes;
  }

  #dropFor(queue: DeviceQueue | undefined, bytes: number): boolean {
    const dropped = queue?.dropFor(bytes) ?? [];
    for (const one of dropped) this.#count(one, -1);
    return dropped.length > 0;
  }

  #enter(deviceId: string, known: Lane | undefined, upward: Upward): void {
    this.#count(upward, 1);
    if (known !== undefined) {
      known.queue.add(upward);
      return;
    }
    const lane: Lane = { queue: new DeviceQueue(), turn: Promise.resolve(), wake: () => undefined };
    lane.queue.add(upward);
    this.#lanes.set(deviceId, lane);
    lane.turn = this.#run(deviceId, lane);
  }

  async #run(deviceId: string, lane: Lane): Promise<void> {
    const { clock, hooks, onProblem } = this.#options;
    for (let next = lane.queue.head; next !== undefined; next = lane.queue.head) {
      const delayMs = next.dueMs - clock.monotonicMs();
      if (delayMs > 0 && !this.#isClosing) await this.#wait(lane, delayMs);
      // While it waited the head may have been dropped for a newer one.
      const upward = lane.queue.take();
      if (upward === undefined) break;
      const { name, payload, arrivedMs } = upward;
      if (!this.#isClosing || upward.hasPlace) {
        const problem = await deliverUpward(hooks, deviceId, name, payload);
        if (problem !== undefined) onProblem(deviceId, problem);
        this.ingest.observe(clock.monotonicMs() - arrivedMs);
      }
      lane.queue.leave(upward);
      this.#count(upward, -1);
      if (this.#placesTaken < intakePolicy.places) this.#waiting.shift()?.();
    }
    this.#lanes.delete(deviceId);
  }

  #wait(lane: Lane, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(delayMs, resolve);
      lane.wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #count({ hasPlace, payload }: Upward, by: 1 | -1): void {
    if (hasPlace) this.#placesTaken += by;
    else {
      this.#held += by;
      this.#heldBytes += by * payload.length;
    }
  }

  #cut(deviceId: string, nowMs: number): void {
    const lastMs = this.#cutAtMs.get(deviceId);
    if (lastMs !== undefined && nowMs - lastMs < intakePolicy.cutGapMs) return;
    for (const [id, atMs] of this.#cutAtMs) if (nowMs - atMs >= intakePolicy.cutGapMs) this.#cutAtMs.delete(id);
    this.#cutAtMs.set(deviceId, nowMs);
    this.#options.onFlood(deviceId);
  }
}
