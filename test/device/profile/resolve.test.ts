import { expect, test } from 'vitest';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import { c270, c920, camera, cameraModule, pi4, rawCamera, server, withDevices } from '../plan/hardware.ts';

const profiles = await loadProfiles();

test.each([
  ['Raspberry Pi Zero W Rev 1.1', 'armv6l', 'raspberry-pi-zero-w'],
  ['Raspberry Pi Zero 2 W Rev 1.0', 'aarch64', 'raspberry-pi-zero-2-w'],
  ['Raspberry Pi 3 Model B Plus Rev 1.3', 'armv7l', 'raspberry-pi-3'],
  ['Raspberry Pi 4 Model B Rev 1.5', 'aarch64', 'raspberry-pi-4'],
  ['Raspberry Pi 400 Rev 1.0', 'aarch64', 'raspberry-pi-4'],
  ['Raspberry Pi Compute Module 4 Rev 1.1', 'aarch64', 'raspberry-pi-4'],
  ['Raspberry Pi 5 Model B Rev 1.0', 'aarch64', 'raspberry-pi-5'],
  ['Raspberry Pi 500 Rev 1.0', 'aarch64', 'raspberry-pi-5'],
  ['Radxa ROCK 5B', 'aarch64', 'generic-arm64'],
  [null, 'aarch64', 'generic-arm64'],
  [null, 'x86_64', 'generic-x86-64'],
  [null, 'riscv64', 'generic'],
  ['Raspberry Pi 2 Model B Rev 1.1', 'armv7l', 'generic'],
])('board %s (%s) is %s', (model, architecture, id) => {
  expect(resolveProfile({ ...server, board: { model, architecture } }, profiles).board.id).toBe(id);
});

test('the most specific profile of a camera wins; an unknown camera has none', () => {
  const virtual = camera('platform-vivid.0', [], { driver: 'vivid' });
  const { cameras } = resolveProfile(withDevices(server, [c270, c920, rawCamera, cameraModule, virtual]), profiles);
  expect([...cameras].map(([id, profile]) => [id, profile.id])).toEqual([
    ['usb-c270', 'logitech-c270'],
    ['usb-c920', 'logitech-c920'],
    ['usb-raw', 'generic-uvc'],
    ['libcamera-imx219', 'raspberry-pi-camera-2'],
  ]);
});

const byUsbId = (id: string) => camera('usb', [], { usb: { id, serial: null, port: '1-1', place: '1-1', speedMbps: 480 } });
const bySensor = (name: string) => camera('libcamera', [], { kind: 'libcamera', driver: 'libcamera', name });

test.each([
  [byUsbId('046d:08c1'), 'logitech-quickcam-fusion'],
  [byUsbId('046d:0825'), 'logitech-c270'],
  [byUsbId('046d:082d'), 'logitech-c920'],
  [byUsbId('046d:0892'), 'logitech-c920'],
  [byUsbId('046d:08e5'), 'logitech-c920'],
  [byUsbId('046d:085c'), 'logitech-c922'],
  [byUsbId('046d:085e'), 'logitech-brio'],
  [byUsbId('2a19:5442'), 'hdmi2usb'],
  [byUsbId('1d50:60b7'), 'hdmi2usb'],
  [byUsbId('0fd9:0066'), 'elgato-cam-link-4k'],
  [byUsbId('0fd9:0067'), 'elgato-cam-link-4k'],
  [byUsbId('0fd9:007b'), 'elgato-cam-link-4k-mk2'],
  [byUsbId('0fd9:00a1'), 'elgato-cam-link-4k-mk2'],
  [byUsbId('534d:2109'), 'ms2109-hdmi'],
  [byUsbId('345f:2109'), 'ms2109-hdmi'],
  [byUsbId('1234:5678'), 'generic-uvc'],
  [bySensor('ov5647'), 'raspberry-pi-camera-1'],
  [bySensor('imx219'), 'raspberry-pi-camera-2'],
  [bySensor('imx708'), 'raspberry-pi-camera-3'],
  [bySensor('imx708_wide'), 'raspberry-pi-camera-3'],
  [bySensor('imx477'), 'raspberry-pi-camera-hq'],
  [bySensor('imx296'), 'raspberry-pi-camera-global-shutter'],
  [bySensor('imx500'), 'raspberry-pi-camera'],
  [camera('mmal', [], { driver: 'bm2835 mmal' }), 'raspberry-pi-camera-legacy'],
])('a camera is told by its USB id, its driver or its sensor (%#)', (fact, id) => {
  expect(resolveProfile(withDevices(server, [fact]), profiles).cameras.get(fact.id)?.id).toBe(id);
});

test('an encoder has the narrower of its own limit and the board’s', () => {
  const limits = (model: string) => {
    const { encoders } = resolveProfile({ ...pi4, board: { model, architecture: 'aarch64' } }, profiles);
    return Object.fromEntries(encoders.map(({ id, maximumPixelsPerSecond }) => [id, maximumPixelsPerSecond]));
  };
  expect(limits('Raspberry Pi Zero W Rev 1.1')['v4l2h264enc']).toBe(1280 * 720 * 30);
  expect(limits('Raspberry Pi 4 Model B Rev 1.5')).toMatchObject({ v4l2h264enc: 62_914_560, x264enc: 1920 * 1080 * 30 });
  expect(limits('Radxa ROCK 5B')).toEqual({ v4l2h264enc: 62_914_560, x264enc: undefined, openh264enc: undefined });
});

test('encoders in the board’s order, of those that are there', () => {
  const ids = (hardware: typeof server) => resolveProfile(hardware, profiles).encoders.map((encoder) => encoder.id);
  expect(ids(server)).toEqual(['x264enc', 'openh264enc']);
  expect(ids(pi4)).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
  const otherBoard = (model: string, architecture: string) => ({ ...pi4, board: { model, architecture } });
  expect(ids(otherBoard('Qualcomm Dragonboard 410c', 'aarch64'))).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
  expect(ids(otherBoard('Raspberry Pi 2 Model B Rev 1.1', 'armv7l'))).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
  expect(ids({ ...pi4, encoders: server.encoders })).toEqual(['x264enc', 'openh264enc']);
  expect(ids({ ...server, encoders: [] })).toEqual(['x264enc', 'openh264enc']);
  expect(ids({ ...pi4, encoders: [] })).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
  expect(ids({ ...otherBoard('Radxa ROCK 5B', 'aarch64'), encoders: [] })).toEqual(['x264enc', 'openh264enc']);
});

test('the profile of the camera in use sets defaults; the environment is stronger', () => {
  const hardware = withDevices(server, [c270, rawCamera]);
  const profile = resolveProfile(hardware, profiles);
  const rate = (levels: Parameters<typeof withProfileLevels>[0]) =>
    resolveSettings(withProfileLevels(levels, hardware, profile)).AV_AUDIO_SAMPLING_RATE;
  expect(rate({})).toEqual({ value: 32000, level: 'camera-profile' });
  expect(rate({ environment: { AV_AUDIO_SAMPLING_RATE: 48000 } })).toEqual({ value: 48000, level: 'environment' });
  expect(rate({ device: { AV_VIDEO_SOURCE: 'usb-raw' } })).toEqual({ value: 16000, level: 'default' });
  expect(rate({ device: { AV_VIDEO_SOURCE: 'test' } })).toEqual({ value: 16000, level: 'default' });
});

test('a board’s profile sets defaults', () => {
  const hardware = { ...server, board: { model: 'Raspberry Pi Zero W Rev 1.1', architecture: 'armv6l' } };
  const settings = resolveSettings(withProfileLevels({}, hardware, resolveProfile(hardware, profiles)));
  expect(settings.AV_VIDEO_WIDTH).toEqual({ value: 640, level: 'board-profile' });
});
