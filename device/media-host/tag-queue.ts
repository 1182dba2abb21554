/**
 * What one output has still to take, with a bound.
 *
 * INVARIANTS
 * - Beyond the bound whole groups of pictures go, oldest first, never one that the output has begun to take. (One group that
 *   alone is larger than the bound loses its end, which a decoder survives.)
 * - Headers are never dropped: those of a dropped group go to the next.
 */
import { isVideoHeader, type Tag } from '#device/media-host/flv.ts';

type Group = { readonly tags: Tag[]; taken: number };

export class TagQueue {
  readonly #maximumBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #droppedGroups = 0;
  #waitsForKeyframe = true;
  #newestMs = 0;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  get queuedBytes(): number {
    return this.#bytes;
  }

  get droppedGroups(): number {
    return this.#droppedGroups;
  }

  /** The time stamp of what was offered last. */
  get newestMs(): number {
    return this.#newestMs;
  }

  offer(tag: Tag): void {
    this.#newestMs = tag.timestampMs;
    if (tag.isKeyframe) this.#waitsForKeyframe = false;
    if (this.#waitsForKeyframe && !tag.isHeader) return;
    // What follows belongs to the new header: nothing of it can be shown before its first keyframe.
    if (isVideoHeader(tag)) this.#waitsForKeyframe = true;
    this.#groupFor(tag).tags.push(tag);
    this.#bytes += tag.bytes.length;
    while (this.#bytes > this.#maximumBytes && this.#dropGroup());
    if (this.#bytes > this.#maximumBytes && !tag.isHeader) this.#cut(tag);
  }

  take(): Tag | null {
    const group = this.#groups[0];
    const tag = group?.tags[group.taken];
    if (group === undefined || tag === undefined) return null;
    group.taken += 1;
    this.#bytes -= tag.bytes.length;
    if (group.taken === group.tags.length && this.#groups.length > 1) this.#groups.shift();
    return tag;
  }

  clear(): void {
    this.#groups = [];
    this.#bytes = 0;
    this.#waitsForKeyframe = true;
  }

  #groupFor(tag: Tag): Group {
    const last = this.#groups.at(-1);
    const startsGroup = tag.isKeyframe || isVideoHeader(tag);
    if (last !== undefined && !(startsGroup && last.tags.some(isMedia))) return last;
    const group = { tags: [], taken: 0 };
    this.#groups.push(group);
    if (last !== undefined && last.taken === last.tags.length) this.#groups.splice(-2, 1);
    return group;
  }

  /** The newest tag of the one group that is left. */
  #cut(tag: Tag): void {
    this.#groups.at(-1)?.tags.pop();
    this.#bytes -= tag.bytes.length;
    this.#droppedGroups += 1;
    this.#waitsForKeyframe = true;
  }

  /** False when nothing is left that may go. */
  #dropGroup(): boolean {
    const index = this.#groups.findIndex((group) => group.taken === 0);
    const group = this.#groups[index];
    if (group === undefined || !group.tags.some(isMedia)) return false;
    const headers = group.tags.filter((tag) => tag.isHeader);
    for (const tag of group.tags) if (!tag.isHeader) this.#bytes -= tag.bytes.length;
    this.#droppedGroups += 1;
    const next = this.#groups[index + 1];
    if (next === undefined) {
      // The group that is being filled: the rest of it is not wanted either.
      group.tags.splice(0, group.tags.length, ...headers);
      this.#waitsForKeyframe = true;
      return true;
    }
    const replaced = new Set(next.tags.filter((tag) => tag.isHeader).map((tag) => tag.kind));
    const kept = headers.filter((tag) => !replaced.has(tag.kind));
    for (const tag of headers) if (replaced.has(tag.kind)) this.#bytes -= tag.bytes.length;
    next.tags.unshift(...kept);
    this.#groups.splice(index, 1);
    return true;
  }
}

function isMedia(tag: Tag): boolean {
  return !tag.isHeader;
}
