import { expect, test } from 'vitest';
import type { CameraFact, VideoMode } from '#device/detect/facts.ts';
import { parseVideoModes } from '#device/detect/v4l2.ts';
import { chooseMode, type ModeWish } from '#device/plan/camera-mode.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import type { CameraQuirk } from '#hardware-profiles/schema.ts';
import { fixture } from '../detect/fixture.ts';
import { c270, c920, camera, cameraModule, rawCamera, server, withDevices } from './hardware.ts';

const profiles = await loadProfiles();

type Options = {
  readonly model?: string;
  readonly quirks?: CameraQuirk[];
  readonly others?: readonly CameraFact[];
  readonly isTurned?: boolean;
  readonly limit?: number;
};

function choose(subject: CameraFact, size: string, options: Options = {}) {
  const [width = 0, height = 0, framesPerSecond = 0] = size.split(/[x@]/).map(Number);
  const hardware = withDevices({ ...server, board: { model: options.model ?? null, architecture: 'aarch64' } }, [
    subject,
    ...(options.others ?? []),
  ]);
  const { board, cameras } = resolveProfile(hardware, profiles);
  const own = cameras.get(subject.id);
  const wish: ModeWish = {
    picture: { width, height, framesPerSecond },
    isTurned: options.isTurned ?? false,
    profile: own === undefined ? undefined : { ...own, quirks: options.quirks ?? own.quirks },
    board,
    cameras: hardware.cameras,
    encoderPixelsPerSecond: options.limit,
  };
  const { mode, given, rejected } = chooseMode(subject, wish);
  const shown = mode === null ? 'none' : `${mode.encoding} ${mode.width}x${mode.height}@${mode.framesPerSecond}`;
  return { mode: shown, given: `${given.width}x${given.height}@${given.framesPerSecond}`, rejected };
}

function usb2(id: string, modes: readonly VideoMode[], port = '1-1'): CameraFact {
  return camera(id, modes, { usb: { id: '1234:5678', serial: null, port, place: port, speedMbps: 480 } });
}

const yuyv = (width: number, height: number, ...frameRates: number[]): VideoMode => ({ pixelFormat: 'YUYV', width, height, frameRates });
const mjpg = (width: number, height: number, ...frameRates: number[]): VideoMode => ({ pixelFormat: 'MJPG', width, height, frameRates });

/** The formats that its users have shown. */
const ms2109 = usb2('ms2109', [
  mjpg(1920, 1080, 30, 25),
  mjpg(1280, 720, 60, 50, 30),
  mjpg(640, 480, 60, 30),
  yuyv(1920, 1080, 5),
  yuyv(1280, 720, 10),
  yuyv(640, 480, 30, 20),
]);
const camLink = camera(
  'camlink',
  [
    { pixelFormat: 'NV12', width: 3840, height: 2160, frameRates: [30] },
    { pixelFormat: 'YU12', width: 3840, height: 2160, frameRates: [30] },
  ],
  { usb: { id: '0fd9:0066', serial: null, port: '2-1', place: '2-1', speedMbps: 5000 } },
);
const fusion = usb2('fusion', [yuyv(640, 480, 15, 10), mjpg(640, 480, 30, 25), yuyv(320, 240, 30)]);
const c922 = usb2('c922', [yuyv(1280, 720, 10), yuyv(640, 480, 30), mjpg(1280, 720, 60, 30), mjpg(1920, 1080, 30)]);

test.each<[string, CameraFact, string, Options, string, string]>([
  ['a C270 gives 720p30 as MJPEG only', c270, '1280x720@30', {}, 'mjpeg 1280x720@30', '1280x720@30'],
  ['a C270 gives 720p10 as it is', c270, '1280x720@10', {}, 'raw 1280x720@10', '1280x720@10'],
  ['a C270 gives 640x480 as it is', c270, '640x480@30', {}, 'raw 640x480@30', '640x480@30'],
  ['a C270 cannot give more than 720p', c270, '1920x1080@30', {}, 'mjpeg 1280x720@30', '1280x720@30'],
  ['a C920 with H.264 of its own', c920, '1280x720@30', {}, 'h264 1280x720@30', '1280x720@30'],
  ['its H.264 cannot be turned', c920, '1280x720@30', { isTurned: true }, 'mjpeg 1280x720@30', '1280x720@30'],
  ['its H.264 is not made smaller', c920, '960x540@30', {}, 'mjpeg 1280x720@30', '960x540@30'],
  ['its H.264 is not slowed down', c920, '1280x720@25', {}, 'mjpeg 1280x720@30', '1280x720@25'],
  [
    'its H.264 is not used where a quirk says so',
    c920,
    '1280x720@30',
    { quirks: ['ignore-native-h264'] },
    'mjpeg 1280x720@30',
    '1280x720@30',
  ],
  ['its H.264 does not pass through the encoder', c920, '1280x720@30', { limit: 640 * 480 * 30 }, 'h264 1280x720@30', '1280x720@30'],
  ['neither H.264 nor MJPEG', c920, '1280x720@30', { quirks: ['ignore-native-h264', 'ignore-mjpeg'] }, 'raw 1280x720@10', '1280x720@10'],
  ['a QuickCam Fusion asked for 720p: its whole picture, not blown up', fusion, '1280x720@30', {}, 'mjpeg 640x480@30', '640x480@30'],
  ['a C922 at 60', c922, '1280x720@60', {}, 'mjpeg 1280x720@60', '1280x720@60'],
  ['an MS2109 stick at 1080p30', ms2109, '1920x1080@30', {}, 'mjpeg 1920x1080@30', '1920x1080@30'],
  [
    'an MS2109 stick at 1080p60: rather half the rate than less than half the size',
    ms2109,
    '1920x1080@60',
    {},
    'mjpeg 1920x1080@30',
    '1920x1080@30',
  ],
  ['a Cam Link: its first format, scaled', camLink, '1280x720@30', {}, 'raw 3840x2160@30', '1280x720@30'],
  ['the board’s encoder is too small', c270, '1280x720@30', { limit: 640 * 480 * 30 }, 'raw 640x480@30', '640x480@30'],
  ['a Pi Zero W decodes no large MJPEG', c270, '1280x720@30', { model: 'Raspberry Pi Zero W Rev 1.1' }, 'raw 640x480@30', '640x480@30'],
  ['a Pi Zero 2 W decodes 720p30', c270, '1280x720@30', { model: 'Raspberry Pi Zero 2 W Rev 1.0' }, 'mjpeg 1280x720@30', '1280x720@30'],
  ['a camera module scales by itself', cameraModule, '1280x720@30', {}, 'raw 1280x720@30', '1280x720@30'],
  ['a camera module has a highest rate', cameraModule, '1920x1080@60', {}, 'raw 1920x1080@47', '1920x1080@47'],
  ['a global shutter camera is 1456 wide', { ...cameraModule, name: 'imx296' }, '1920x1080@30', {}, 'raw 1456x818@30', '1456x818@30'],
  [
    'a camera module of which nothing is known is asked for the wish',
    { ...cameraModule, name: 'imx500' },
    '1920x1080@30',
    {},
    'none',
    '1920x1080@30',
  ],
  ['a rate between whole ones', usb2('slow', [yuyv(1280, 720, 7.5)]), '1280x720@30', {}, 'raw 1280x720@7.5', '1280x720@7'],
  [
    'no mode that can be read',
    usb2('odd', [{ pixelFormat: 'HEVC', width: 1280, height: 720, frameRates: [30] }]),
    '1280x720@30',
    {},
    'none',
    '1280x720@30',
  ],
])('%s', (_name, subject, wish, options, mode, given) => {
  expect(choose(subject, wish, options)).toMatchObject({ mode, given });
});

test('raw 720p30 does not fit USB 2; where nothing else is there it is tried all the same', () => {
  const eager = usb2('eager', [yuyv(1280, 720, 30), mjpg(1280, 720, 30)]);
  const { mode, rejected } = choose(eager, '1280x720@30');
  expect(mode).toBe('mjpeg 1280x720@30');
  expect(rejected).toEqual([{ subject: 'YUYV 1280x720 at 30/s', reason: 'needs 442 Mbit/s, and its USB bus leaves it 196' }]);
  expect(choose(usb2('only', [yuyv(1280, 720, 30)]), '1280x720@30').mode).toBe('raw 1280x720@30');
  const usb3 = camera('fast', eager.modes, { usb: { id: '1:2', serial: null, port: '2-1', place: '2-1', speedMbps: 5000 } });
  expect(choose(usb3, '1280x720@30').mode).toBe('raw 1280x720@30');
});

test('two cameras on one USB 2 bus share it', () => {
  const wide = [yuyv(960, 540, 24), mjpg(960, 540, 24)];
  const [first, second, third] = [usb2('first', wide), usb2('second', wide, '1-2'), usb2('third', wide, '1-3')];
  // 199 Mbit/s are too much even alone; 147 fit alone and beside one, not beside two.
  expect(choose(first, '960x540@24').mode).toBe('mjpeg 960x540@24');
  const vga = [yuyv(640, 480, 30), mjpg(640, 480, 30)];
  const one = usb2('one', vga);
  expect(choose(one, '640x480@30').mode).toBe('raw 640x480@30');
  expect(choose(one, '640x480@30', { others: [second] }).mode).toBe('raw 640x480@30');
  expect(choose(one, '640x480@30', { others: [second, third] }).mode).toBe('mjpeg 640x480@30');
});

test('each mode that was not taken has its reason', () => {
  expect(choose(c920, '1280x720@30').rejected).toEqual([
    { subject: 'YUYV 1280x720 at 10/s', reason: 'gives 1280x720 at 10/s of the wished 1280x720 at 30/s' },
    { subject: 'H264 1280x720 at 24/s', reason: 'gives 1280x720 at 24/s of the wished 1280x720 at 30/s' },
    { subject: 'H264 640x480 at 30/s', reason: 'gives 640x480 at 30/s of the wished 1280x720 at 30/s' },
    { subject: 'MJPG 1280x720 at 30/s', reason: 'the same picture for more work' },
    { subject: 'MJPG 1280x720 at 24/s', reason: 'gives 1280x720 at 24/s of the wished 1280x720 at 30/s' },
  ]);
  expect(choose(rawCamera, '640x480@15').rejected).toContainEqual({
    subject: 'YUYV 1280x720 at 30/s',
    reason: 'gives 640x480 at 15/s of the wished 640x480 at 15/s',
  });
  expect(choose(c270, '1280x720@30', { model: 'Raspberry Pi Zero W Rev 1.1' }).rejected).toContainEqual({
    subject: 'MJPG 1280x720 at 30/s',
    reason: 'Raspberry Pi Zero W decodes at most 4.6 million pixels a second of MJPEG, this is 27.6 million pixels a second',
  });
});

test('hundreds of real modes are judged quickly, and no more reasons are given than anyone reads', () => {
  const vivid = camera('vivid', parseVideoModes(fixture('v4l2-ctl-vivid-first.debian-12-x86-64.txt')));
  const startedAt = performance.now();
  const { mode, rejected } = choose(vivid, '1280x720@30');
  expect(performance.now() - startedAt).toBeLessThan(200);
  // It gives 1280x720 only at up to 12.5 frames a second.
  expect(mode).toBe('raw 640x480@25');
  expect(rejected.length).toBeLessThanOrEqual(128);
});
