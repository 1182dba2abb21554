import { expect, test } from 'vitest';
import { jpegSize, stillPicture } from '#device/commands/still-picture.ts';
import { upwardTopics } from '#protocol/topics.ts';
import { madeKeyframe } from './made-keyframe.ts';

test('a keyframe becomes a picture of its own size', async () => {
  const made = await stillPicture(await madeKeyframe({ width: 1280, height: 720 }));
  expect(made).toMatchObject({ kind: 'picture', width: 1280, height: 720, isHalved: false });
  if (made.kind === 'picture') expect(jpegSize(made.jpeg)).toEqual({ width: 1280, height: 720 });
});

test('one that does not fit into a message loses quality, and at last half its size', async () => {
  const made = await stillPicture(await madeKeyframe({ width: 1920, height: 1080, pattern: 'snow' }));
  expect(made).toMatchObject({ kind: 'picture', width: 960, height: 540, isHalved: true });
  if (made.kind === 'picture') expect(made.jpeg.length).toBeLessThanOrEqual(upwardTopics.snapshot.maxBytes);
}, 30_000);

test.each([
  ['nothing', Buffer.alloc(0)],
  ['no FLV', Buffer.from('this is no picture')],
  ['a picture that is cut off', (await madeKeyframe({ width: 320, height: 180 })).subarray(0, 400)],
])('%s is no picture, and is said to be none', async (_name, flv) => {
  expect(await stillPicture(flv)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/.{10}/) });
});

test('what is no JPEG has no size', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('GIF89a'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0])]) {
    expect(jpegSize(bytes)).toBe(null);
  }
});
