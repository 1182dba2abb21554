import { expect, it } from 'vitest';
import { aacFormat, adtsFrame } from '#device/media-host/adts.ts';
import { parseTag, type Tag } from '#device/media-host/flv.ts';

function soundTag(packet: number, ...payload: readonly number[]): Tag {
  const tag = parseTag(
    Buffer.from([8, 0, 0, payload.length + 2, 0, 0, 0, 0, 0, 0, 0, 0xaf, packet, ...payload, 0, 0, 0, 13 + payload.length]),
  );
  if (tag === null) throw new Error('expected a tag');
  return tag;
}

it.each([
  ['16 kHz, one channel', [0x14, 0x08], { objectType: 2, rateIndex: 8, channels: 1 }],
  ['44.1 kHz, two channels', [0x12, 0x10], { objectType: 2, rateIndex: 4, channels: 2 }],
  ['a rate outside the table', [0x17, 0x80], null],
  ['nothing', [], null],
])('%s', (_, config, expected) => {
  expect(aacFormat(soundTag(0, ...config))).toEqual(expected);
});

it('puts a header before the sound that tells its length', () => {
  const format = { objectType: 2, rateIndex: 8, channels: 1 };
  expect(adtsFrame(format, soundTag(1, 1, 2, 3))).toEqual(Buffer.from([0xff, 0xf1, 0x60, 0x40, 0x01, 0x5f, 0xfc, 1, 2, 3]));
});
