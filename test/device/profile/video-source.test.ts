import { expect, test } from 'vitest';
import { chooseVideo } from '#device/profile/video-source.ts';
import type { SettingLevel } from '#protocol/settings.ts';
import { c270, camera, rawCamera, server, withDevices } from '../plan/hardware.ts';

const linked = camera('usb-linked', rawCamera.modes, { path: '/dev/video2', links: ['/dev/v4l/by-id/usb-linked-video-index0'] });
const hardware = withDevices(server, [c270, linked]);

function choose(value: string | null, level: SettingLevel = 'device') {
  return chooseVideo({ value, level }, hardware);
}

test.each([
  [null, 'usb-c270'],
  ['', 'usb-c270'],
  ['usb-linked', 'usb-linked'],
  ['/dev/video2', 'usb-linked'],
  ['/dev/v4l/by-id/usb-linked-video-index0', 'usb-linked'],
  [' usb-c270 ', 'usb-c270'],
])('%j is the camera %s', (value, id) => {
  expect(choose(value)).toMatchObject({ kind: 'camera', camera: { id } });
});

test('the test picture: by name, and where there is no camera', () => {
  expect(choose('test')).toEqual({ kind: 'test' });
  expect(chooseVideo({ value: null, level: 'default' }, server)).toEqual({ kind: 'test' });
});

test('an element: from the environment only', () => {
  const source = 'videotestsrc pattern=ball ! identity';
  expect(choose(source, 'environment')).toEqual({ kind: 'element', description: source });
  for (const level of ['fleet', 'group', 'device', 'relay', 'camera-profile'] as const) {
    expect(choose(source, level)).toMatchObject({ kind: 'missing' });
  }
});

test.each([
  ['/dev/video9', 'no camera "/dev/video9": expected test or one of usb-c270, usb-linked'],
  ['file:/etc/passwd', 'expected a camera or test, came "file:/etc/passwd": files cannot be streamed'],
  ['nosuchsrc ! identity', 'no camera "nosuchsrc …"'],
  ['nosuchsrc location=rtsp://user:hush@cam', 'no camera "nosuchsrc …"'],
  ['x'.repeat(10_000), '…'],
])('%.40s is missing, also from the environment', (value, reason) => {
  expect(choose(value, 'environment')).toEqual({ kind: 'missing', reason: expect.stringContaining(reason) });
});
