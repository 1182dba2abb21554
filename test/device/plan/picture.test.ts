import { expect, test } from 'vitest';
import { isSameRate, lossOf, nearestWithin, type Picture, pixelsPerSecond } from '#device/plan/picture.ts';

function picture(text: string): Picture {
  const [width = 0, height = 0, framesPerSecond = 0] = text.split(/[x@]/).map(Number);
  return { width, height, framesPerSecond };
}

const p720 = 1280 * 720 * 30;
const p1080 = 62_914_560;

test.each([
  ['1280x720@30', p720, '1280x720@30'],
  ['1280x720@30', undefined, '1280x720@30'],
  ['1920x1080@30', p1080, '1920x1080@30'],
  ['1920x1080@60', p1080, '1920x1080@30'],
  ['3840x2160@30', p1080, '1920x1080@30'],
  ['3840x2160@60', p1080, '1920x1080@30'],
  ['1280x720@60', p720, '1280x720@30'],
  ['1920x1080@30', p720, '1280x720@30'],
  ['1920x1080@25', p720, '1280x720@25'],
  ['1920x1080@60', p720, '1280x720@30'],
  ['1440x1080@30', p720, '960x720@30'],
  ['1080x1920@30', p720, '608x1080@30'],
  ['640x480@30', 640 * 480 * 15, '480x360@25'],
  ['640x480@20', 640 * 480 * 15, '480x360@20'],
  ['1280x720@30', 320 * 240 * 30, '320x180@30'],
  ['1280x720@30', 1, '320x180@5'],
])('%s within %s pixels a second is %s', (wish, limit, nearest) => {
  expect(nearestWithin(picture(wish), limit)).toEqual(picture(nearest));
});

test('the nearest keeps within the limit and has even sides, over a grid of wishes and limits', () => {
  for (const width of [160, 641, 854, 1280, 1920, 2592, 3840]) {
    for (const height of [90, 361, 480, 720, 1080, 1944, 2160]) {
      for (const framesPerSecond of [1, 7, 15, 24, 30, 50, 60]) {
        for (const limit of [2_000_000, p720, p1080]) {
          const wish = { width, height, framesPerSecond };
          const nearest = nearestWithin(wish, limit);
          if (pixelsPerSecond(wish) <= limit) expect(nearest).toEqual(wish);
          else if (pixelsPerSecond(nearest) > limit) expect(nearest.framesPerSecond).toBeLessThanOrEqual(5);
          else expect(lossOf(nearest, wish)).toBeGreaterThan(0);
          if (nearest.height !== height) expect([nearest.width % 2, nearest.height % 2]).toEqual([0, 0]);
          expect(nearest.framesPerSecond).toBeLessThanOrEqual(framesPerSecond);
        }
      }
    }
  }
});

test.each([
  ['1280x720@30', '1280x720@30', 0],
  ['1280x720@29.97', '1280x720@30', 0],
  ['1920x1080@60', '1280x720@30', 0],
  ['640x360@30', '1280x720@30', 2],
  ['1280x720@25', '1280x720@30', 0.263034],
  ['1280x720@15', '1280x720@30', 1.736966],
  ['640x360@15', '1280x720@30', 3.736966],
  // A picture of 4:3 fills three quarters of one of 16:9.
  ['1280x960@30', '1280x720@30', 0.415037],
])('%s against %s loses %f', (given, wish, loss) => {
  expect(lossOf(picture(given), picture(wish))).toBe(loss);
});

test('29.97 serves 30, 25 does not', () => {
  expect(isSameRate(29.97, 30)).toBe(true);
  expect(isSameRate(25, 30)).toBe(false);
});
