import { expect, test } from 'vitest';
import { parseTag, type Tag } from '#device/media-host/flv.ts';
import { NextPicture } from '#device/media-host/next-picture.ts';
import { madeKeyframe } from '../commands/made-keyframe.ts';
import { manualClock } from '../manual-clock.ts';

/** Header and keyframe of a file: nine bytes of its own header, four of a size, and then tags that say how long they are. */
function tagsOf(flv: Buffer): readonly Tag[] {
  const tags: Tag[] = [];
  for (let at = 13; at + 15 <= flv.length; ) {
    const length = 11 + flv.readUIntBE(at + 1, 3) + 4;
    const tag = parseTag(flv.subarray(at, at + length));
    if (tag !== null) tags.push(tag);
    at += length;
  }
  return tags;
}

const tags = tagsOf(await madeKeyframe({ width: 320, height: 180 }));
const headers = () => tags.filter(({ isHeader }) => isHeader);
const keyframe = tags.find(({ isKeyframe }) => isKeyframe);

test('everybody who asks gets the next keyframe with its header, and nothing else', async () => {
  if (keyframe === undefined) throw new Error('expected a keyframe');
  const next = new NextPicture(manualClock(0));
  next.onTag(keyframe, headers);
  const asked = Promise.all([next.take(), next.take()]);
  next.onTag({ ...keyframe, isKeyframe: false }, headers);
  for (const header of headers()) next.onTag(header, headers);
  next.onTag(keyframe, headers);
  for (const outcome of await asked) {
    if (outcome.kind === 'problem') throw new Error(outcome.problem);
    expect(tagsOf(outcome.flv).map(({ kind, isHeader, isKeyframe }) => [kind, isHeader, isKeyframe])).toEqual([
      ['video', true, false],
      ['video', false, true],
    ]);
  }
});

test('one that does not come is not waited for, and one that is too large is not sent', async () => {
  if (keyframe === undefined) throw new Error('expected a keyframe');
  const clock = manualClock(0);
  const next = new NextPicture(clock);
  const asked = next.take();
  await clock.advance(12_000);
  expect(await asked).toEqual({ kind: 'problem', problem: 'no whole picture came within 12 s: nothing is captured' });
  const again = next.take();
  next.onTag({ ...keyframe, bytes: Buffer.alloc(3_000_000) }, headers);
  expect(await again).toMatchObject({ kind: 'problem', problem: expect.stringContaining('2500000 bytes') });
});
