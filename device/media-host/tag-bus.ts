/** Keeps what a late joiner needs and hands each tag to every queue that has joined. */
import { isVideoHeader, type PlacedTag, type Tag } from '#device/media-host/flv.ts';
import type { TagQueue } from '#device/media-host/tag-queue.ts';

/** A camera with keyframes far apart must not fill the memory: beyond this a late joiner needs another keyframe. */
const maximumGroupBytes = 8 * 1024 * 1024;

/** Counted since the start. */
export type PassedTags = { readonly captures: number; readonly frames: number; readonly keyframes: number };

export class TagBus {
  readonly #headers = new Map<Tag['kind'], PlacedTag>();
  /** From the last keyframe on; empty until there is one under the present headers. */
  #group: PlacedTag[] = [];
  #groupBytes = 0;
  /** Whether it was dropped because it was too large, and another keyframe asked for. */
  #tooLarge: 'no' | 'yes' | 'asked' = 'no';
  readonly #queues = new Set<TagQueue>();
  readonly #askForKeyframe: () => void;
  #captures = 0;
  #frames = 0;
  #keyframes = 0;

  constructor(askForKeyframe: () => void = () => undefined) {
    this.#askForKeyframe = askForKeyframe;
  }

  /** A late joiner would see a picture at once. */
  get isReady(): boolean {
    return this.#group.length > 0;
  }

  get passed(): PassedTags {
    return { captures: this.#captures, frames: this.#frames, keyframes: this.#keyframes };
  }

  /** The headers of the old capture are not those of the new. */
  startCapture(): void {
    this.#captures += 1;
    this.#headers.clear();
    this.#clearGroup();
  }

  publish(tag: PlacedTag): void {
    if (tag.isHeader) this.#headers.set(tag.kind, tag);
    else if (tag.kind === 'video') this.#frames += 1;
    if (tag.isKeyframe) this.#keyframes += 1;
    this.#remember(tag);
    for (const queue of this.#queues) queue.offer(tag);
  }

  /** Script tag and sequence headers, with the time of the group that a joiner starts from. */
  headers(): PlacedTag[] {
    const first = this.#group[0];
    const order = ['script', 'video', 'audio'] as const;
    const present = order.map((kind) => this.#headers.get(kind)).filter((tag) => tag !== undefined);
    if (first === undefined) return present;
    const { timestampMs, placedAtMs } = first;
    return present.map((tag) => ({ ...tag, timestampMs, placedAtMs }));
  }

  /** Somebody is about to join: once a group, where it is not there any more, another keyframe is asked for. */
  announceJoin(): void {
    if (this.#tooLarge !== 'yes') return;
    this.#tooLarge = 'asked';
    this.#askForKeyframe();
  }

  /** The queue gets headers and the group since the last keyframe now, and every tag from now on. */
  join(queue: TagQueue): void {
    this.announceJoin();
    queue.begin([...this.headers(), ...this.#group]);
    this.#queues.add(queue);
  }

  leave(queue: TagQueue): void {
    this.#queues.delete(queue);
  }

  #remember(tag: PlacedTag): void {
    if (isVideoHeader(tag) || tag.isKeyframe) this.#clearGroup();
    if (tag.isHeader || (this.#group.length === 0 && !tag.isKeyframe)) return;
    this.#group.push(tag);
    this.#groupBytes += tag.bytes.length;
    if (this.#groupBytes <= maximumGroupBytes) return;
    this.#clearGroup();
    this.#tooLarge = 'yes';
  }

  #clearGroup(): void {
    this.#group = [];
    this.#groupBytes = 0;
    this.#tooLarge = 'no';
  }
}
