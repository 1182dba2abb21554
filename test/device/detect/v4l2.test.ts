import { expect, test } from 'vitest';
import { isCaptureNode, parseV4l2Info, parseVideoModes } from '#device/detect/v4l2.ts';
import { fixture } from './fixture.ts';

const nodes = [
  { name: 'a webcam', file: 'v4l2-ctl-c270.made-up.txt', driver: 'uvcvideo', card: 'C270 HD WEBCAM', isCapture: true },
  {
    name: 'the metadata node of a webcam',
    file: 'v4l2-ctl-c270-metadata.made-up.txt',
    driver: 'uvcvideo',
    card: 'C270 HD WEBCAM',
    isCapture: false,
  },
  { name: 'a codec', file: 'v4l2-ctl-codec.made-up.txt', driver: 'some-codec', card: 'some-codec-encode', isCapture: false },
  {
    name: 'a virtual webcam, with everything that v4l2-ctl knows of it',
    file: 'v4l2-ctl-vivid-all.debian-12-x86-64.txt',
    driver: 'vivid',
    card: 'vivid',
    isCapture: true,
  },
  {
    name: 'a second webcam of the same driver, which v4l2-ctl does not find in the topology',
    file: 'v4l2-ctl-vivid-second-info.debian-12-x86-64.txt',
    driver: 'vivid',
    card: 'vivid',
    isCapture: true,
  },
  { name: 'an old v4l2-ctl', file: 'v4l2-ctl-old-format.made-up.txt', driver: 'uvcvideo', card: 'UVC Camera (046d:0991)', isCapture: true },
];

test.each(nodes)('node: $name', ({ file, driver, card, isCapture }) => {
  const info = parseV4l2Info(fixture(file));
  expect(info).toMatchObject({ driver, card });
  expect(info !== null && isCaptureNode(info)).toBe(isCapture);
});

test('modes with their rates, highest first', () => {
  expect(parseVideoModes(fixture('v4l2-ctl-c270.made-up.txt'))).toEqual([
    { pixelFormat: 'YUYV', width: 640, height: 480, frameRates: [30, 25, 15] },
    { pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [10, 7.5, 5] },
    { pixelFormat: 'MJPG', width: 640, height: 480, frameRates: [30, 25] },
    { pixelFormat: 'MJPG', width: 1280, height: 720, frameRates: [30, 25, 15] },
  ]);
});

test('a driver with more than eighty formats', () => {
  const output = fixture('v4l2-ctl-vivid-first.debian-12-x86-64.txt');
  const modes = parseVideoModes(output);
  expect(parseV4l2Info(output)?.busInfo).toBe('platform:vivid-000');
  expect(modes).toHaveLength(83 * 6);
  expect(modes.slice(3, 6)).toEqual([
    { pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [12.5, 10, 5, 4, 2, 1] },
    { pixelFormat: 'YUYV', width: 1920, height: 1080, frameRates: [5, 4, 2, 1] },
    { pixelFormat: 'YUYV', width: 3840, height: 2160, frameRates: [2, 1] },
  ]);
});

test('modes as an old v4l2-ctl prints them, and a range of sizes', () => {
  expect(parseVideoModes(fixture('v4l2-ctl-old-format.made-up.txt'))).toEqual([
    { pixelFormat: 'MJPG', width: 960, height: 720, frameRates: [10] },
    { pixelFormat: 'YUYV', width: 1600, height: 1200, smallest: { width: 32, height: 32 }, frameRates: [] },
  ]);
});

test.each(['', 'Cannot open device /dev/video0, exiting.', '\0\0\0', 'Driver Info:\n\tDriver name'])('nothing is made of %j', (output) => {
  expect(parseV4l2Info(output)).toBeNull();
  expect(parseVideoModes(output)).toEqual([]);
});

test('a device that never stops listing modes is cut short', () => {
  const endless = `\t[0]: 'YUYV' (YUYV 4:2:2)\n${'\t\tSize: Discrete 640x480\n'.repeat(5000)}`;
  expect(parseVideoModes(endless)).toHaveLength(512);
});
