import { expect, test } from 'vitest';
import { SoundMeter } from '#device/media-host/sound-meter.ts';

function block(left: readonly number[], right: readonly number[] = left): Uint8Array {
  const bytes = Buffer.alloc(left.length * 4);
  for (const [index, sample] of left.entries()) {
    bytes.writeInt16LE(sample, index * 4);
    bytes.writeInt16LE(right[index] ?? 0, index * 4 + 2);
  }
  return bytes;
}

const square = (size: number) => Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? size : -size));

test('nothing has come: nothing is known', () => {
  expect(new SoundMeter().sample()).toBeNull();
});

test('half of full scale is 6 dB below it; two equal channels are one', () => {
  const meter = new SoundMeter();
  meter.add(block(square(16_384)));
  expect(meter.sample()).toEqual({ channels: [{ peakDbfs: -6, rmsDbfs: -6, clippedSamples: 0 }] });
  expect(meter.sample()).toBeNull();
});

test('a channel that is silent does not hide the other, and the levels are of the blocks since the last sample', () => {
  const meter = new SoundMeter();
  meter.add(block(square(32_767)));
  meter.sample();
  meter.add(block(square(3277), square(0)));
  meter.add(block(square(3277), square(0)));
  expect(meter.sample()?.channels).toEqual([
    { peakDbfs: -20, rmsDbfs: -20, clippedSamples: 0 },
    { peakDbfs: -100, rmsDbfs: -100, clippedSamples: 0 },
  ]);
});

test.each([
  { name: 'two samples at the limit are a loud moment', samples: [0, 32_767, 32_767, 0], clipped: 0 },
  { name: 'three are a flat top', samples: [0, 32_767, 32_767, 32_767, 0], clipped: 3 },
  { name: 'below as above', samples: [0, -32_768, -32_768, -32_768, -32_768, 0], clipped: 4 },
  { name: 'a converter that ends a little early', samples: [32_750, 32_760, 32_755, 32_750, 32_751], clipped: 5 },
])('$name', ({ samples, clipped }) => {
  const meter = new SoundMeter();
  meter.add(block(samples));
  expect(meter.sample()?.channels[0]?.clippedSamples).toBe(clipped);
});

test('a flat top that two blocks share is one', () => {
  const meter = new SoundMeter();
  meter.add(block([0, 32_767, 32_767]));
  meter.add(block([32_767, 0]));
  expect(meter.sample()?.channels[0]?.clippedSamples).toBe(3);
});

test('a block cut within a frame, at an odd place in its memory, is read up to its last whole frame', () => {
  const whole = Buffer.concat([Buffer.alloc(1), block([16_384, 16_384]), Buffer.from([1, 2, 3])]);
  const meter = new SoundMeter();
  meter.add(whole.subarray(1));
  expect(meter.sample()?.channels).toEqual([{ peakDbfs: -6, rmsDbfs: -6, clippedSamples: 0 }]);
});
