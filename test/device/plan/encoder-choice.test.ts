import { expect, test } from 'vitest';
import { chooseEncoder } from '#device/plan/encoder-choice.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { pi4, server } from './hardware.ts';

const profiles = await loadProfiles();

function choose(model: string, architecture: string, size: readonly [number, number, number]) {
  const hardware = { ...pi4, board: { model, architecture } };
  const [width, height, framesPerSecond] = size;
  const { encoder, rejected } = chooseEncoder(resolveProfile(hardware, profiles).encoders, { width, height, framesPerSecond });
  return { encoder: encoder?.id, rejected: rejected.map(({ subject, reason }) => `${subject}: ${reason}`) };
}

test('the first of the board that carries the wish', () => {
  expect(choose('Raspberry Pi 4 Model B', 'aarch64', [1920, 1080, 30])).toEqual({
    encoder: 'v4l2h264enc',
    rejected: ['x264enc: comes behind v4l2h264enc in this board’s order', 'openh264enc: comes behind v4l2h264enc in this board’s order'],
  });
  expect(choose('Raspberry Pi 5 Model B', 'aarch64', [1920, 1080, 30])).toMatchObject({ encoder: 'x264enc' });
});

test('none carries it: the one that comes nearest', () => {
  expect(choose('Raspberry Pi Zero W Rev 1.1', 'armv6l', [1920, 1080, 30])).toEqual({
    encoder: 'v4l2h264enc',
    rejected: [
      'openh264enc: carries 320x180 at 30/s of the wished 1920x1080 at 30/s on this board',
      'x264enc: carries 320x180 at 30/s of the wished 1920x1080 at 30/s on this board',
    ],
  });
  expect(choose('Raspberry Pi 3 Model B Rev 1.2', 'aarch64', [1920, 1080, 60])).toMatchObject({ encoder: 'v4l2h264enc' });
});

test('no encoder at all', () => {
  expect(chooseEncoder([], { width: 640, height: 480, framesPerSecond: 30 })).toEqual({ encoder: undefined, rejected: [] });
  expect(chooseEncoder(resolveProfile(server, profiles).encoders, { width: 3840, height: 2160, framesPerSecond: 60 }).encoder?.id).toBe(
    'x264enc',
  );
});
