/** What one device said and what was not dealt with yet, in the order of its coming. Pure. Bounded by whoever adds to it. */
import { tokensOf } from '#fleet-server/broker/message-allowance.ts';
import { type UpwardTopic, upwardTopics } from '#protocol/topics.ts';

export type Upward = {
  readonly name: UpwardTopic;
  readonly payload: Buffer;
  readonly arrivedMs: number;
  /** When the device's allowance has room for it. */
  readonly dueMs: number;
  /** Whether it takes one of the places that all devices share. */
  readonly hasPlace: boolean;
};

export class DeviceQueue {
  readonly #waiting: Upward[] = [];
  /** Of those that wait without a place: what nobody misses much. */
  #droppable = 0;
  #places = 0;

  /** How many of it take a place, the one that is being dealt with among them. */
  get places(): number {
    return this.#places;
  }

  get head(): Upward | undefined {
    return this.#waiting[0];
  }

  add(upward: Upward): void {
    const lastDueMs = this.#waiting.at(-1)?.dueMs ?? 0;
    this.#waiting.push(upward.dueMs < lastDueMs && !upward.hasPlace ? { ...upward, dueMs: lastDueMs } : upward);
    if (upward.hasPlace) this.#places += 1;
    else if (isDroppable(upward)) this.#droppable += 1;
  }

  /** It goes on having its place until it has left. */
  take(): Upward | undefined {
    const upward = this.#waiting.shift();
    if (upward !== undefined && !upward.hasPlace && isDroppable(upward)) this.#droppable -= 1;
    return upward;
  }

  leave({ hasPlace }: Upward): void {
    if (hasPlace) this.#places -= 1;
  }

  /** Makes room for so many bytes: the oldest of what nobody misses goes. Answers what went: nothing, where that is not enough. */
  dropFor(bytes: number): readonly Upward[] {
    if (this.#droppable === 0) return [];
    const dropped = new Set<Upward>();
    let tokens = 0;
    for (const upward of this.#waiting) {
      if (tokens >= tokensOf(bytes)) break;
      if (upward.hasPlace || !isDroppable(upward)) continue;
      dropped.add(upward);
      tokens += tokensOf(upward.payload.length);
    }
    if (tokens < tokensOf(bytes)) return [];
    for (const upward of dropped) this.#waiting.splice(this.#waiting.indexOf(upward), 1);
    this.#droppable -= dropped.size;
    return [...dropped];
  }
}

/** Health, previews and log lines: what the protocol itself lets get lost (QoS 0). */
function isDroppable({ name }: Upward): boolean {
  return upwardTopics[name].qos === 0;
}
