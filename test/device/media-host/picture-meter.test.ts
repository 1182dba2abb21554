import { expect, test } from 'vitest';
import { PictureMeter } from '#device/media-host/picture-meter.ts';

const grey = (luma: number, first = luma) => Uint8Array.from({ length: 2304 }, (_, index) => (index === 0 ? first : luma));

test('nothing has come: nothing is known', () => {
  expect(new PictureMeter().sample(0)).toBeNull();
});

test('how light it is, and for how long it stands still', () => {
  const meter = new PictureMeter();
  for (let second = 0; second <= 40; second += 1) meter.add(grey(16), second * 1000);
  expect(meter.sample(40_000)).toEqual({ lumaMean: 16, lumaMax: 16, stillS: 40 });
});

test('one point that differs by one is a picture that lives, and one light point is seen', () => {
  const meter = new PictureMeter();
  for (let second = 0; second <= 40; second += 1) meter.add(grey(16, 16 + (second % 2)), second * 1000);
  expect(meter.sample(40_000)).toEqual({ lumaMean: 16, lumaMax: 16, stillS: 0 });
  meter.add(grey(16, 235), 41_000);
  expect(meter.sample(41_000)).toEqual({ lumaMean: 16.1, lumaMax: 235, stillS: 0 });
});

test('where none comes any more, nothing is known: another pipeline may be on air', () => {
  const meter = new PictureMeter();
  meter.add(grey(90), 0);
  expect(meter.sample(5000)).not.toBeNull();
  expect(meter.sample(5001)).toBeNull();
});

test('where only keyframes can be seen, and those are far apart, the last one holds until two are missing', () => {
  const meter = new PictureMeter();
  for (const second of [0, 8, 16, 24]) meter.add(grey(90), second * 1000);
  expect(meter.sample(44_000)?.stillS).toBe(24);
  expect(meter.sample(44_001)).toBeNull();
});

test('a long pause before the last one makes it hold no longer than half a minute', () => {
  const meter = new PictureMeter();
  for (const second of [0, 100]) meter.add(grey(90), second * 1000);
  expect(meter.sample(125_000)).not.toBeNull();
  expect(meter.sample(125_001)).toBeNull();
});

test('pictures of another size are others', () => {
  const meter = new PictureMeter();
  meter.add(grey(90), 0);
  meter.add(grey(90).subarray(0, 100), 5000);
  expect(meter.sample(5000)?.stillS).toBe(0);
});
