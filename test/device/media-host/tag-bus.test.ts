import { describe, expect, it } from 'vitest';
import type { Tag } from '#device/media-host/flv.ts';
import { TagBus } from '#device/media-host/tag-bus.ts';
import { TagQueue } from '#device/media-host/tag-queue.ts';
import { makeTag, read, spell } from './tags.ts';

const wide = 1_000_000;

function takeAll(queue: TagQueue): string {
  const tags: Tag[] = [];
  for (let tag = queue.take(); tag !== null; tag = queue.take()) tags.push(tag);
  return spell(tags);
}

describe('a late joiner', () => {
  it.each([
    ['gets headers and everything since the last keyframe', 'S0 V0 A0 K0 f33 K66 s70 f99', 'S66 V66 A66 K66 s70 f99'],
    ['gets headers alone before there is a keyframe', 'S0 V0 A0 s5', 'S0 V0 A0'],
    ['gets nothing of the capture before', 'S0 V0 A0 K0 f33 S33 V33 A33 s40', 'S33 V33 A33'],
    ['gets newer headers', 'S0 V0 A0 K0 f33 A40 f66', 'S0 V0 A0 K0 f33 f66'],
    ['gets nothing where nothing was', '', ''],
  ])('%s', (_, published, expected) => {
    const bus = new TagBus();
    for (const tag of read(published)) bus.publish(tag);
    const queue = new TagQueue(wide);
    bus.join(queue);
    expect(takeAll(queue)).toBe(expected);
  });

  it('gets what follows, from the next keyframe on where there was none', () => {
    const bus = new TagBus();
    const queue = new TagQueue(wide);
    for (const tag of read('S0 V0 A0')) bus.publish(tag);
    bus.join(queue);
    for (const tag of read('s1 f2 K33 s40 f66')) bus.publish(tag);
    expect(takeAll(queue)).toBe('S0 V0 A0 K33 s40 f66');
    bus.leave(queue);
    bus.publish(makeTag('frame', 99));
    expect(takeAll(queue)).toBe('');
  });

  it('asks for a keyframe, once, where the group would have filled the memory', () => {
    let asked = 0;
    const bus = new TagBus(() => {
      asked += 1;
    });
    for (const tag of read('S0 V0 A0 K0')) bus.publish(tag);
    bus.announceJoin();
    expect([bus.isReady, asked]).toEqual([true, 0]);
    for (let count = 0; count < 9; count += 1) bus.publish(makeTag('frame', count, 1024 * 1024));
    expect([bus.isReady, asked]).toEqual([false, 0]);
    bus.announceJoin();
    bus.join(new TagQueue(wide));
    expect([bus.isReady, asked]).toEqual([false, 1]);
    bus.publish(makeTag('keyframe', 500));
    bus.join(new TagQueue(wide));
    expect([bus.isReady, asked]).toEqual([true, 1]);
  });

  it('finds no old headers after the start of a new capture', () => {
    const bus = new TagBus();
    for (const tag of read('S0 V0 A0 K0')) bus.publish(tag);
    bus.startCapture();
    expect([bus.isReady, bus.headers()]).toEqual([false, []]);
  });
});

/** Groups of ten seconds at 400 kbit/s; joined so long after a keyframe over a link of so many bytes a millisecond that takes 16 KB ahead. */
describe('who joins long after the last keyframe', () => {
  const groupMs = 9900;
  const pictureBytes = 1650;

  type Sent = { readonly atMs: number; readonly timestampMs: number; readonly isKeyframe: boolean };

  function joinLate(afterMs: number, bytesPerMs: number, lengthMs: number): { queue: TagQueue; sent: readonly Sent[] } {
    const bus = new TagBus();
    const queue = new TagQueue(8 * 1024 * 1024, { dropMs: 2000, cutMs: 3500 });
    const sent: Sent[] = [];
    let underWay = 0;
    for (const tag of read('S0 V0 A0')) bus.publish(tag);
    for (let ms = 0; ms < afterMs + lengthMs; ms += 1) {
      underWay = Math.max(0, underWay - bytesPerMs);
      if (ms % 33 === 0) bus.publish(makeTag(ms % groupMs === 0 ? 'keyframe' : 'frame', ms, pictureBytes));
      if (ms === afterMs) bus.join(queue);
      while (underWay < 16_384) {
        const tag = queue.take();
        if (tag === null) break;
        underWay += tag.bytes.length;
        if (!tag.isHeader) sent.push({ atMs: ms, timestampMs: tag.timestampMs, isKeyframe: tag.isKeyframe });
      }
    }
    return { queue, sent };
  }

  const worstLagMs = (sent: readonly Sent[]) => Math.max(...sent.map(({ atMs, timestampMs }) => atMs - timestampMs));

  it.each([3000, 3600, 5000, 9000])('sends at once over a way with room: joined %d ms after it', (afterMs) => {
    const { queue, sent } = joinLate(afterMs, 150, 8000);
    expect(sent[0]).toEqual({ atMs: afterMs, timestampMs: 0, isKeyframe: true });
    expect(queue.droppedGroups).toBe(0);
    expect(queue.isCatchingUp).toBe(false);
    expect(worstLagMs(sent)).toBeLessThanOrEqual(afterMs);
    expect(worstLagMs(sent.filter(({ atMs }) => atMs > afterMs + 5000))).toBeLessThan(500);
  });

  it('goes on with the next keyframe the moment that it is there, and nothing counts as dropped', () => {
    const { queue, sent } = joinLate(8000, 60, 6000);
    const after = sent.filter(({ timestampMs }) => timestampMs >= groupMs);
    expect(after[0]?.isKeyframe).toBe(true);
    expect(worstLagMs(after)).toBeLessThan(500);
    expect(sent.findLast(({ timestampMs }) => timestampMs < groupMs)?.timestampMs).toBeLessThan(4000);
    expect(queue.droppedGroups).toBe(0);
  });

  it('ends the group, and counts it, where the way carries less than is made', () => {
    const { queue, sent } = joinLate(5000, 20, 4000);
    expect(worstLagMs(sent)).toBeLessThan(5000 + 1600);
    expect(queue.droppedGroups).toBe(1);
    expect(queue.isCatchingUp).toBe(false);
    const later = joinLate(5000, 20, 12_000);
    expect(worstLagMs(later.sent.filter(({ timestampMs }) => timestampMs >= groupMs))).toBeLessThan(5000);
  });

  it('may be no further behind again than it has come to be', () => {
    const bus = new TagBus();
    const queue = new TagQueue(wide, { dropMs: 1000, cutMs: 3000 });
    for (const tag of read('V0 K0 f1000 f2000 f3000 f4000 f5000 f6000 f7000 f8000')) bus.publish(tag);
    bus.join(queue);
    expect(queue.isCatchingUp).toBe(true);
    for (let count = 0; count < 7; count += 1) queue.take();
    bus.publish(makeTag('frame', 11_000));
    expect(queue.droppedGroups).toBe(0);
    bus.publish(makeTag('frame', 11_001));
    expect(queue.droppedGroups).toBe(1);
    expect(takeAll(queue)).toBe('');
    for (const tag of read('K12000 f12100')) bus.publish(tag);
    expect(takeAll(queue)).toBe('K12000 f12100');
  });

  it('keeps the headers where nobody has begun the group by the next keyframe', () => {
    const bus = new TagBus();
    const queue = new TagQueue(wide, { dropMs: 100, cutMs: 300 });
    for (const tag of read('S0 V0 A0 K0 f400 f900')) bus.publish(tag);
    bus.join(queue);
    for (const tag of read('K950 f960')) bus.publish(tag);
    expect([takeAll(queue), queue.droppedGroups, queue.queuedBytes]).toEqual(['S0 V0 A0 K950 f960', 0, 0]);
  });
});

describe('a queue', () => {
  /** Tags of 100 bytes each; `|` is where the output takes that many. */
  it.each([
    ['holds what fits', 800, 'S0 V0 A0 K0 f1 f2', 0, 'S0 V0 A0 K0 f1 f2', 0],
    ['drops the oldest group whole, headers never', 700, 'S0 V0 A0 K0 f1 f2 K3 f4', 0, 'S0 V0 A0 K3 f4', 1],
    ['spares the group that was begun', 400, 'V0 K0 f1 f2 K3 f4 K5', 2, 'f1 f2 K5', 1],
    ['drops the group that grows, and the rest of it', 400, 'V0 K0 f1 K2 f3 f4 f5 K6', 2, 'f1 K6', 1],
    ['drops several', 300, 'V0 K0 f1 K2 f3 K4 f5 K6', 0, 'V0 K6', 3],
    ['keeps the headers of a new capture, and they replace the old', 500, 'V0 A0 K0 f1 V2 A2 K2 f3', 0, 'V2 A2 K2 f3', 1],
    ['keeps headers that come where there is no room', 400, 'V0 K0 f1 f2 f3 f4 V5 A5 K5 f6 K7', 2, 'f1 f2 f3 f4 V5 A5', 2],
    ['cuts the end of one group larger than all', 300, 'V0 K0 f1 f2 f3 K4 f5', 1, 'K0 f1 f2', 2],
  ])('%s', (_, maximumBytes, offered, taken, expected, dropped) => {
    const queue = new TagQueue(maximumBytes);
    const tags = read(offered, 100);
    for (const tag of tags.slice(0, taken + 1)) queue.offer(tag);
    for (let count = 0; count < taken; count += 1) queue.take();
    for (const tag of tags.slice(taken + 1)) queue.offer(tag);
    expect([takeAll(queue), queue.droppedGroups]).toEqual([expected, dropped]);
    expect(queue.queuedBytes).toBe(0);
  });

  /** Whole groups go beyond an age of 100 ms, the end of one that was begun beyond 300. */
  it.each([
    ['holds what is young', 'V0 K0 f50 f99', 0, 'V0 K0 f50 f99', 0],
    ['drops the older group, headers never', 'V0 K0 f50 K90 f101', 0, 'V0 K90 f101', 1],
    ['drops what lies between the group that was begun and the newest', 'V0 K0 f20 K40 f60 K80 f130', 2, 'f20 K80 f130', 1],
    ['does not drop the newest, which is the next to be sent', 'V0 K0 f50 f101 f150', 0, 'V0 K0 f50 f101 f150', 0],
    ['but not for ever: one that nobody takes goes whole', 'V0 K0 f50 f101 f301 f350 K400 f420', 0, 'V0 K400 f420', 1],
    ['ends the one that was begun when it is too old', 'V0 K0 f50 f90 f400 f450 K500', 3, 'K500', 1],
    ['ends it for the newest one, where there is one', 'V0 K0 f50 f90 K200 f380 f400 f410', 3, 'K200 f380 f400 f410', 1],
    ['keeps the headers that came with a dropped group', 'V0 K0 V40 A40 K41 f60 K80 f150', 2, 'V40 A40 K80 f150', 1],
  ])('%s', (_, offered, taken, expected, dropped) => {
    const queue = new TagQueue(wide, { dropMs: 100, cutMs: 300 });
    const tags = read(offered, 100);
    for (const tag of tags.slice(0, taken + 1)) queue.offer(tag);
    for (let count = 0; count < taken; count += 1) queue.take();
    for (const tag of tags.slice(taken + 1)) queue.offer(tag);
    expect([takeAll(queue), queue.droppedGroups]).toEqual([expected, dropped]);
    expect(queue.queuedBytes).toBe(0);
  });

  /** 400 kbit/s in groups of two seconds, and a link of so many bytes a millisecond that takes 16 KB ahead. */
  function overLink(bytesPerMs: number, lengthMs: number): { sizes: number[]; worstMs: number } {
    const queue = new TagQueue(wide, { dropMs: 2000, cutMs: 3500 });
    const sizes: number[] = [];
    let underWay = 0;
    let worstMs = 0;
    for (let ms = 0; ms < lengthMs; ms += 1) {
      underWay = Math.max(0, underWay - bytesPerMs);
      if (ms % 33 === 0) queue.offer(makeTag((ms / 33) % 60 === 0 ? 'keyframe' : 'frame', ms, 1650));
      while (underWay < 16_384) {
        const tag = queue.take();
        if (tag === null) break;
        underWay += tag.bytes.length;
        if (tag.isKeyframe) sizes.push(0);
        sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + 1;
        worstMs = Math.max(worstMs, ms - tag.timestampMs + underWay / bytesPerMs);
      }
    }
    return { sizes: sizes.slice(0, -1), worstMs: Math.round(worstMs) };
  }

  it.each([
    ['all of them while the link carries them', 55, 30],
    ['half of them on half of what is needed', 25, 14],
    ['fewer on less', 20, 9],
  ])('sends whole groups: %s', (_, bytesPerMs, least) => {
    const { sizes, worstMs } = overLink(bytesPerMs, 62_000);
    expect(sizes.length).toBeGreaterThanOrEqual(least);
    expect(sizes.slice(2).every((size) => size === 60)).toBe(true);
    expect(worstMs).toBeLessThan(5000);
  });

  it('begins groups, and ends them too early, where whole ones would come too late', () => {
    const { sizes, worstMs } = overLink(10, 62_000);
    expect(sizes.length).toBeGreaterThan(8);
    expect(worstMs).toBeLessThan(5500);
  });

  it('never holds more than its bound, whatever comes and goes, and never half a group', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48271) % 0x7fffffff;
      return seed % below;
    };
    const queue = new TagQueue(2000);
    const out: Tag[] = [];
    let group = 0;
    const groupOf = new Map<Tag, number>();
    const sizes = new Map<number, number>();
    for (let index = 0; index < 20_000; index += 1) {
      const tag = makeTag(index % 12 === 0 || random(6) === 0 ? 'keyframe' : 'frame', index, 40 + random(60));
      if (tag.isKeyframe) group += 1;
      groupOf.set(tag, group);
      sizes.set(group, (sizes.get(group) ?? 0) + 1);
      queue.offer(tag);
      expect(queue.queuedBytes).toBeLessThanOrEqual(2000);
      for (let count = random(3); count > 0; count -= 1) {
        const taken = random(4) === 0 ? null : queue.take();
        if (taken !== null) out.push(taken);
      }
    }
    for (let tag = queue.take(); tag !== null; tag = queue.take()) out.push(tag);
    expect(queue.droppedGroups).toBeGreaterThan(100);
    const seen = new Map<number, number>();
    for (const tag of out) seen.set(groupOf.get(tag) ?? 0, (seen.get(groupOf.get(tag) ?? 0) ?? 0) + 1);
    for (const [number, count] of [...seen].slice(0, -1)) expect(count, `group ${number}`).toBe(sizes.get(number));
  });
});
