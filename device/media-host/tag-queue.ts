/**
 * What one output has still to take, with a bound.
 *
 * INVARIANTS
 * - Beyond the bound whole groups of pictures go, oldest first, never one that the output has begun to take. (One group that
 *   alone is larger than the bound loses its end, which a decoder survives; so does one that grows too old while it is taken, and
 *   one that lay there when the output began.)
 * - Headers are never dropped: those of a dropped group go to the next.
 */
import { isVideoHeader, type PlacedTag } from '#device/media-host/flv.ts';

/** How old, seen from the newest tag, the next one may be. */
export type AgeBounds = {
  /** Beyond it whole groups go, and the newest one is next. */
  readonly dropMs: number;
  /** Beyond it the group that was begun loses its end: the uplink carries not half of what is asked of it. */
  readonly cutMs: number;
};

const anyAge: AgeBounds = { dropMs: Number.POSITIVE_INFINITY, cutMs: Number.POSITIVE_INFINITY };

/** A group this young is begun whatever it takes. */
const freshMs = 300;

type Group = { readonly tags: PlacedTag[]; taken: number };

export class TagQueue {
  readonly #maximumBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #droppedGroups = 0;
  #waitsForKeyframe = true;
  readonly #ages: AgeBounds;
  #newestMs = 0;
  /** By how much the output fell behind while it took the last group; it will with the next one. */
  #growthMs = 0;
  /** How far it was behind when it began the one that it takes. */
  #begunLagMs = 0;
  /** While the output makes good what lay there when it began: the least that it has been behind since. Else 0. */
  #catchUpMs = 0;

  constructor(maximumBytes: number, ages: AgeBounds = anyAge) {
    this.#maximumBytes = maximumBytes;
    this.#ages = ages;
  }

  /** Of the tag that was offered last. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** The next tag that is no header; null where there is none. */
  get next(): PlacedTag | null {
    for (const { tags, taken } of this.#groups) {
      for (let index = taken; index < tags.length; index += 1) {
        const tag = tags[index];
        if (tag !== undefined && isMedia(tag)) return tag;
      }
    }
    return null;
  }

  get queuedBytes(): number {
    return this.#bytes;
  }

  get droppedGroups(): number {
    return this.#droppedGroups;
  }

  /** The output has yet to make good what lay there when it began. */
  get isCatchingUp(): boolean {
    return this.#catchUpMs > 0;
  }

  /**
   * What lies there when an output begins: a group that may be older than the bounds say. Then they count from how far the output is
   * behind now, and from as little as it has come to be since, until the next keyframe: the rest of that group gives way to it.
   */
  begin(tags: readonly PlacedTag[]): void {
    for (const tag of tags) this.#add(tag);
    const lagMs = this.#lagMs(this.next);
    this.#catchUpMs = lagMs > this.#ages.dropMs ? lagMs : 0;
  }

  offer(tag: PlacedTag): void {
    this.#add(tag);
    if (tag.isKeyframe && this.isCatchingUp) this.#giveWay();
    // The bound that comes first; where there is none, or nothing is near it, there is nothing more to look at.
    if (!this.#isOlder(this.#ages.dropMs)) return;
    while (this.#isOlder(this.#ages.dropMs) && this.#dropGroup(this.#groups.length - 1));
    if (this.#isOlder(this.#ages.cutMs)) this.#endGroup();
  }

  #add(tag: PlacedTag): void {
    this.#newestMs = tag.timestampMs;
    if (tag.isKeyframe) this.#waitsForKeyframe = false;
    if (this.#waitsForKeyframe && !tag.isHeader) return;
    // What follows belongs to the new header: nothing of it can be shown before its first keyframe.
    if (isVideoHeader(tag)) this.#waitsForKeyframe = true;
    this.#groupFor(tag).tags.push(tag);
    this.#bytes += tag.bytes.length;
    while (this.#bytes > this.#maximumBytes && this.#dropGroup(this.#groups.length));
    if (this.#bytes > this.#maximumBytes && !tag.isHeader && this.#groups.at(-1)?.tags.at(-1) === tag) this.#cut(tag);
  }

  take(): PlacedTag | null {
    this.#skipLate();
    const group = this.#groups[0];
    const tag = group?.tags[group.taken];
    if (group === undefined || tag === undefined) return null;
    group.taken += 1;
    this.#note(tag);
    this.#bytes -= tag.bytes.length;
    if (group.taken === group.tags.length && this.#groups.length > 1) this.#groups.shift();
    return tag;
  }

  clear(): void {
    this.#groups = [];
    this.#bytes = 0;
    this.#growthMs = 0;
    this.#catchUpMs = 0;
    this.#waitsForKeyframe = true;
  }

  #groupFor(tag: PlacedTag): Group {
    const last = this.#groups.at(-1);
    const startsGroup = tag.isKeyframe || isVideoHeader(tag);
    if (last !== undefined && !(startsGroup && last.tags.some(isMedia))) return last;
    const group = { tags: [], taken: 0 };
    this.#groups.push(group);
    if (last !== undefined && last.taken === last.tags.length) this.#groups.splice(-2, 1);
    return group;
  }

  /** The newest tag of the one group that is left. */
  #cut(tag: PlacedTag): void {
    this.#groups.at(-1)?.tags.pop();
    this.#bytes -= tag.bytes.length;
    this.#droppedGroups += 1;
    this.#waitsForKeyframe = true;
  }

  /** One that would lose its end gives way to the next: that one is begun when it is new. Never two one after the other. */
  #skipLate(): void {
    const isBegun = this.#groups[0]?.taken !== 0;
    const ageMs = this.#lagMs(this.next) - this.#forgivenMs;
    if (isBegun || ageMs <= freshMs || ageMs + this.#growthMs <= this.#ages.cutMs) return;
    this.#growthMs = 0;
    this.#dropGroup(this.#groups.length);
  }

  #note(tag: PlacedTag): void {
    if (!isMedia(tag)) return;
    const lagMs = this.#lagMs(tag);
    if (tag.isKeyframe) this.#begunLagMs = lagMs;
    this.#growthMs = lagMs - this.#begunLagMs;
    this.#catchUpMs = lagMs > freshMs ? Math.min(this.#catchUpMs, lagMs) : 0;
  }

  get #forgivenMs(): number {
    return Math.max(0, this.#catchUpMs - this.#ages.dropMs);
  }

  #lagMs(tag: PlacedTag | null): number {
    return tag === null ? 0 : this.#newestMs - tag.timestampMs;
  }

  #isOlder(boundMs: number): boolean {
    return this.#lagMs(this.next) > boundMs + this.#forgivenMs;
  }

  /** Not counted: of what was made since the output began nothing is missing. */
  #giveWay(): void {
    const droppedGroups = this.#droppedGroups;
    if (this.#groups.length > 1) this.#endGroup();
    this.#catchUpMs = 0;
    this.#droppedGroups = droppedGroups;
  }

  /** What is left of the group that was begun, or the one group that nobody has begun. */
  #endGroup(): void {
    const group = this.#groups[0];
    if (group === undefined) return;
    this.#catchUpMs = 0;
    if (group.taken === 0) {
      this.#dropGroup(this.#groups.length);
      return;
    }
    const rest = group.tags.splice(group.taken);
    for (const tag of rest) this.#bytes -= tag.bytes.length;
    this.#droppedGroups += 1;
    if (this.#groups.length > 1) this.#groups.shift();
    else this.#waitsForKeyframe = true;
  }

  /** The oldest one that nobody has begun, if it is one of the first so many. False when nothing is left that may go. */
  #dropGroup(among: number): boolean {
    const index = this.#groups.findIndex((group) => group.taken === 0);
    const group = this.#groups[index];
    if (index >= among || group === undefined || !group.tags.some(isMedia)) return false;
    this.#catchUpMs = 0;
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

function isMedia(tag: PlacedTag): boolean {
  return !tag.isHeader;
}
