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

test('a link by id is the camera of its node also where its device has two', () => {
  const usb = { id: '046d:085e', serial: 'A1B2C3D4', port: '1-1', place: '0000:01:00.0-1', speedMbps: 480 };
  const pair = ['', '-index2'].map((part) => {
    const links = [`/dev/v4l/by-id/usb-brio${part}`];
    return camera(`usb-046d-085e-A1B2C3D4-0000_01_00.0-1${part}`, rawCamera.modes, { usb, links });
  });
  for (const one of pair) {
    expect(chooseVideo({ value: one.links[0] ?? '', level: 'device' }, withDevices(server, pair))).toEqual({ kind: 'camera', camera: one });
  }
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
  ['file:', 'expected a path behind "file:"'],
  ['nosuchsrc ! identity', 'no camera "nosuchsrc …"'],
  ['nosuchsrc location=rtsp://user:hush@cam', 'no camera "nosuchsrc …"'],
  ['x'.repeat(10_000), '…'],
])('%.40s is missing, also from the environment', (value, reason) => {
  expect(choose(value, 'environment')).toEqual({ kind: 'missing', reason: expect.stringContaining(reason) });
});

const mediaDirectory = '/state/media';

test.each([
  ['file:/any/where.mp4', 'environment', '/any/where.mp4', null],
  ['file:break.mp4', 'environment', '/state/media/break.mp4', null],
  ['file:break.mp4', 'fleet', '/state/media/break.mp4', mediaDirectory],
  ['file:talks/one two.mp4', 'group', '/state/media/talks/one two.mp4', mediaDirectory],
  ['file:/state/media/break.mp4', 'device', '/state/media/break.mp4', mediaDirectory],
] as const)('%s from the level %s is a file', (value, level, path, within) => {
  expect(chooseVideo({ value, level }, { ...hardware, mediaDirectory })).toEqual({ kind: 'file', path, within });
});

test.each(['file:/etc/passwd', 'file:../credentials.json', 'file:/state/media/../x', 'file:a/../../x', 'file:/state/mediax/a', 'file:'])(
  '%s is no file that can be chosen from afar',
  (value) => {
    for (const level of ['fleet', 'group', 'device'] as const) {
      expect(chooseVideo({ value, level }, { ...hardware, mediaDirectory })).toMatchObject({ kind: 'missing' });
      expect(chooseVideo({ value, level }, hardware)).toMatchObject({ kind: 'missing' });
    }
  },
);

test('a file needs what plays it', () => {
  const elements = new Set([...server.elements].filter((name) => name !== 'gdpdepay'));
  expect(chooseVideo({ value: 'file:/a.mp4', level: 'environment' }, { ...server, elements })).toEqual({
    kind: 'missing',
    reason: 'a file cannot be played, because this GStreamer has no gdpdepay',
  });
});
