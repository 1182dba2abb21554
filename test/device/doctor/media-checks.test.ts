/** What the doctor says of a machine that lacks something: tried in a real media host, on made-up hardware that is not there. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { BenchHost } from '#device/doctor/bench-host.ts';
import type { Check } from '#device/doctor/check.ts';
import { checkCamera, checkElements, checkEncoders, checkMicrophone, checkSight, type MediaSubject } from '#device/doctor/media-checks.ts';
import { systemClock } from '#device/media/clock.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { bareHardware, machineWith, webcam } from '../bare-machine.ts';

const small: SettingValues = { AV_VIDEO_WIDTH: 320, AV_VIDEO_HEIGHT: 180, AV_VIDEO_FRAMERATE: 15 };
const farCamera: CameraFact = { ...webcam, path: '/dev/video4242' };
const farMicrophone: MicrophoneFact = {
  id: 'usb-1-2-microphone',
  name: 'Test microphone',
  card: 31,
  cardId: 'Nowhere',
  device: 0,
  alsaDevice: 'hw:31,0',
  usb: null,
  cameraId: null,
};

function subjectWith(hardware: Partial<DetectedHardware>, settings: SettingValues = {}): MediaSubject {
  const { profile } = machineWith();
  const machine = { hardware: { ...bareHardware, ...hardware }, profile, environment: { ...small, ...settings }, fleetUrl: null };
  return { settings: fitSettings(null, machine).settings, hardware: machine.hardware, profile };
}

let host: BenchHost;
beforeAll(async () => {
  host = await BenchHost.create(systemClock);
  expect(await host.start()).toBeNull();
}, 30_000);
afterAll(() => host.stop());

const words = ({ subject, state, detail }: Check) => `${subject} ${state}: ${detail}`;

test('GStreamer: what is missing is named with the packages that have it', () => {
  const all = ['appsrc', 'appsink', 'videotestsrc', 'videoconvert', 'videorate', 'audioconvert', 'audioresample', 'alsasrc', 'flvmux'];
  const most = [...all, 'v4l2src', 'jpegdec', 'audiofirfilter', 'rtmp2sink', 'h264parse'];
  expect(checkElements({ ...bareHardware, elements: new Set(most) })).toMatchObject({
    state: 'fail',
    detail: 'missing: voaacenc',
    advice: 'Install gstreamer1.0-plugins-bad.',
  });
  expect(checkElements({ ...bareHardware, elements: new Set([...most, 'voaacenc']) }).state).toBe('pass');
  const problems = [{ subject: 'gst-inspect-1.0', problem: 'gst-inspect-1.0 was not found' }];
  expect(checkElements({ ...bareHardware, problems })).toMatchObject({
    state: 'fail',
    detail: 'gst-inspect-1.0 was not found',
    advice: 'Install gstreamer1.0-tools.',
  });
});

test('no encoder at all is a fail', async () => {
  expect((await checkEncoders(host, subjectWith({ encoders: [] }))).map(words)).toEqual(['encoder fail: GStreamer has no H.264 encoder']);
});

test('an encoder that does not start is a warning, and another one is tried in its place', async () => {
  const [x264] = bareHardware.encoders;
  if (x264 === undefined) throw new Error('expected an encoder');
  const broken = { ...x264, element: 'openh264enc', failure: 'no memory' };
  const checks = await checkEncoders(host, subjectWith({ encoders: [broken, x264] }));
  expect(checks[0]).toMatchObject({ state: 'warn', detail: 'openh264enc does not start: no memory' });
  expect(checks.map(words)).toContainEqual(
    expect.stringMatching(/^encoder (?:pass|warn): x264enc: \d+\.\d frames a second of 320x180 at 15\/s/),
  );
}, 30_000);

test.each([
  ['none is plugged in', {}, {}, 'camera warn: none was found'],
  [
    'one that may not be opened',
    { problems: [{ subject: '/dev/video0', problem: 'this user may not open it: it has to be in the group video' }] },
    {},
    'camera fail: none can be used: /dev/video0: this user may not open it: it has to be in the group video',
  ],
  ['the test picture was asked for', {}, { AV_VIDEO_SOURCE: 'test' }, 'camera pass: the test picture was asked for (AV_VIDEO_SOURCE)'],
])('camera: %s', async (_what, hardware, settings: SettingValues, expected) => {
  expect(words(await checkCamera(host, subjectWith(hardware, settings)))).toBe(expected);
});

test('camera: one that cannot be opened is a fail with GStreamer’s reason', async () => {
  const check = await checkCamera(host, subjectWith({ cameras: [farCamera] }));
  expect(check).toMatchObject({ state: 'fail', advice: 'Look at its cable and supply; another program may be using it.' });
  expect(check.detail).toMatch(/^Test webcam: .*\/dev\/video4242/);
}, 30_000);

test('picture: of a camera that encodes by itself it is said whether somebody sees it', () => {
  const native: CameraFact = { ...farCamera, modes: [{ pixelFormat: 'H264', width: 320, height: 180, frameRates: [15] }] };
  const of = (hardware: Partial<DetectedHardware>) => checkSight(subjectWith(hardware)).map(words);
  expect(of({ cameras: [farCamera] })).toEqual([]);
  expect(of({ cameras: [native] })).toEqual(['picture pass: the camera’s own H.264 is looked at, a keyframe a second']);
  expect(of({ cameras: [farCamera], elements: new Set(['v4l2src', 'x264enc', 'capssetter']) })).toEqual([
    'preview warn: GStreamer has no JPEG encoder here: install gstreamer1.0-plugins-good (jpegenc)',
  ]);
  expect(of({ cameras: [native], elements: new Set(['v4l2src', 'x264enc', 'capssetter']) })).toEqual([
    'picture warn: the camera’s own H.264 is not looked at: GStreamer has no H.264 decoder here, and there is no preview',
  ]);
});

test.each([
  ['sound is turned off', { AV_DISABLE_AUDIO: true }, 'microphone pass: sound is turned off (AV_DISABLE_AUDIO)'],
  ['the test picture', { AV_VIDEO_SOURCE: 'test' }, 'microphone pass: the test picture has a tone of its own'],
])('microphone: %s', async (_what, settings: SettingValues, expected) => {
  expect(words(await checkMicrophone(host, subjectWith({}, settings)))).toBe(expected);
});

test('microphone: none for the camera that is there is a warning', async () => {
  const check = await checkMicrophone(host, subjectWith({ cameras: [farCamera] }));
  expect(check.state).toBe('warn');
  expect(check.detail).toMatch(/: the stream carries silence$/);
});

test('microphone: one that cannot be opened is a fail', async () => {
  const check = await checkMicrophone(host, subjectWith({ cameras: [farCamera], microphones: [farMicrophone] }));
  expect(check.state).toBe('fail');
  expect(check.detail).toMatch(/^Test microphone \(hw:31,0\): /);
}, 30_000);
