import { expect, test } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { choosePicture } from '#device/plan/choose-picture.ts';
import { pixelsPerSecond } from '#device/plan/picture.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { c270, c920, camera, cameraModule, pi4, server, withDevices } from './hardware.ts';

const profiles = await loadProfiles();
const on = (model: string, hardware: DetectedHardware): DetectedHardware => ({ ...hardware, board: { model, architecture: 'aarch64' } });
const size = (width: number, height: number, rate: number): SettingValues => ({
  AV_VIDEO_WIDTH: width,
  AV_VIDEO_HEIGHT: height,
  AV_VIDEO_FRAMERATE: rate,
});

function choose(hardware: DetectedHardware, environment: SettingValues) {
  const profile = resolveProfile(hardware, profiles);
  const settings = resolveSettings(withProfileLevels({ environment }, hardware, profile));
  return choosePicture(chooseVideo(settings.AV_VIDEO_SOURCE, hardware), settings, hardware, profile);
}

const encoderName = 'Hardware encoder through V4L2 (Raspberry Pi)';
test.each<[string, DetectedHardware, SettingValues, string | null]>([
  ['defaults on a PC', withDevices(server, [c270]), {}, null],
  ['1080p30 on a Pi 4 with a camera module', withDevices(pi4, [cameraModule]), size(1920, 1080, 30), null],
  [
    'the camera is too small',
    withDevices(server, [c270]),
    size(1920, 1080, 30),
    'wished 1920x1080 at 30/s, given 1280x720 at 30/s: the camera has nothing nearer that can be used',
  ],
  [
    'the encoder is too small',
    withDevices(pi4, []),
    size(1920, 1080, 60),
    `wished 1920x1080 at 60/s, given 1920x1080 at 30/s: ${encoderName} carries no more on this board`,
  ],
  [
    'both are too small',
    on('Raspberry Pi Zero W Rev 1.1', withDevices(pi4, [cameraModule])),
    size(1920, 1080, 60),
    `wished 1920x1080 at 60/s, given 1280x720 at 30/s: the camera has nothing nearer that can be used, and ${encoderName} carries no more on this board`,
  ],
  ['a camera’s own H.264 passes no encoder', on('Raspberry Pi Zero W Rev 1.1', withDevices(pi4, [c920])), size(1280, 720, 30), null],
])('%s', (_name, hardware, environment, shortfall) => {
  expect(choose(hardware, environment).shortfall).toBe(shortfall);
});

test('what nobody wished is not missed; what somebody wished is, at any level', () => {
  const hardware = on('Raspberry Pi 3', withDevices(pi4, [{ ...c270, usb: null, modes: c270.modes.filter(({ width }) => width === 640) }]));
  const machine = { hardware, profile: resolveProfile(hardware, profiles), fleetUrl: null };
  expect(fitSettings(null, { ...machine, environment: {} }).shortfall).toBeNull();
  expect(fitSettings(null, { ...machine, environment: {} }).plan.capture).toMatchObject({ width: 640, height: 480, framesPerSecond: 30 });
  expect(fitSettings(null, { ...machine, environment: { AV_VIDEO_HEIGHT: 720 } }).shortfall).toContain(
    'wished 1280x720 at 30/s, given 640x480',
  );
});

test.each([
  [0, 1280, 720],
  [90, 720, 1280],
  [180, 1280, 720],
  [270, 720, 1280],
])('turned by %i the stream has %ix%i', (turn, width, height) => {
  const hardware = withDevices(server, [c920]);
  const machine = { hardware, profile: resolveProfile(hardware, profiles), environment: { AV_VIDEO_ROTATE: turn }, fleetUrl: null };
  expect(fitSettings(null, machine).plan.capture).toMatchObject({ width, height, encoder: turn === 0 ? 'camera' : 'x264enc' });
  expect(fitSettings(null, machine).shortfall).toBeNull();
});

test('settings that were refused are planned all the same, if only to be thrown away', () => {
  for (const value of [0, -1, Number.NaN, 'wide', true]) {
    expect(choose(server, { AV_VIDEO_WIDTH: value, AV_VIDEO_FRAMERATE: value, AV_VIDEO_ROTATE: value }).given.width).toBeGreaterThan(0);
  }
});

/** A small generator of numbers with a seed (mulberry32): a failing case can be run again. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  'whatever camera, board and wish: what is given can be encoded, and is never more (%i)',
  (seed) => {
    const random = numbersFrom(seed);
    const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
    const one = <T>(values: readonly T[]): T => {
      const value = values[whole(0, values.length - 1)];
      if (value === undefined) throw new Error('expected a value');
      return value;
    };
    for (let round = 0; round < 100; round += 1) {
      const modes = Array.from({ length: whole(0, 6) }, () => ({
        pixelFormat: one(['YUYV', 'MJPG', 'H264', 'NV12', 'RGB3', 'HEVC']),
        width: whole(16, 4096),
        height: whole(16, 2400),
        ...(random() < 0.2 ? { smallest: { width: 16, height: 16 } } : {}),
        frameRates: Array.from({ length: whole(0, 4) }, () => one([60, 50, 30, 29.97, 25, 15, 12.5, 10, 7.5, 5, 1, 0.5])),
      }));
      const usb = { id: one(['1:1', '0fd9:0066']), serial: null, port: '1-1', place: 'x-1', speedMbps: one([12, 480, 5000, null]) };
      const hardware = on(
        one(['Raspberry Pi Zero W Rev 1.1', 'Raspberry Pi 3', 'Raspberry Pi 4', 'A PC']),
        withDevices(pi4, [camera('any', modes, { usb })]),
      );
      const wish = size(2 * whole(80, 1920), 2 * whole(45, 1080), whole(1, 60));
      const choice = choose(hardware, { ...wish, AV_VIDEO_ROTATE: one([0, 90, 180, 270]) });
      const { given, encoder, mode } = choice;
      expect(given.width).toBeLessThanOrEqual(Number(wish.AV_VIDEO_WIDTH));
      expect(given.height).toBeLessThanOrEqual(Number(wish.AV_VIDEO_HEIGHT));
      expect(given.framesPerSecond).toBeLessThanOrEqual(Number(wish.AV_VIDEO_FRAMERATE));
      expect(given.framesPerSecond).toBeGreaterThanOrEqual(1);
      expect(Number.isInteger(given.framesPerSecond)).toBe(true);
      if (mode?.encoding === 'h264') continue;
      expect([given.width % 2, given.height % 2]).toEqual([0, 0]);
      const isLeast = given.framesPerSecond <= 5;
      expect(isLeast || pixelsPerSecond(given) <= (encoder?.maximumPixelsPerSecond ?? Number.POSITIVE_INFINITY)).toBe(true);
    }
  },
);
