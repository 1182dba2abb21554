import { expect, test } from 'vitest';
import { describeHardware, hardwareText } from '#device/command-line/describe-hardware.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { c270, c920, camera, microphone, pi4, server, withDevices } from '../plan/hardware.ts';

const profiles = await loadProfiles();

test('a Raspberry Pi 4 with a C270 whose hardware encoder does not start', () => {
  const broken = {
    ...withDevices(pi4, [c270], [microphone(1, { cameraId: 'usb-c270' }), microphone(2)]),
    encoders: pi4.encoders.map((fact) => (fact.element === 'v4l2h264enc' ? { ...fact, failure: 'no memory' } : fact)),
    problems: [{ subject: 'v4l2h264enc', problem: 'does not start: no memory' }],
  };
  expect(hardwareText(describeHardware(broken, profiles, {}))).toBe(`board         Raspberry Pi 4 Model B Rev 1.5 (aarch64)
              profile raspberry-pi-4 (untested): the model fits ^Raspberry Pi (4|Compute Module 4)
camera *      usb-c270: C270 HD WEBCAM
              /dev/video0, USB 046d:0825 in 0000:01:00.0-1.3 at 480 Mbit/s, driver uvcvideo, 4 modes
              profile logitech-c270 (untested): the USB id is one of 046d:0825
microphone *  card-1-audio-0: Microphone 1
              hw:1,0, built into usb-c270
microphone    card-2-audio-0: Microphone 2
              hw:2,0
picture       usb-c270
              1280x720 at 30/s
mode          mjpeg 1280x720 at 30/s
              not YUYV 640x480 at 30/s: gives 640x480 at 30/s of the wished 1280x720 at 30/s
              not YUYV 640x480 at 25/s: gives 640x480 at 25/s of the wished 1280x720 at 30/s
              not YUYV 640x480 at 15/s: gives 640x480 at 15/s of the wished 1280x720 at 30/s
              not YUYV 1280x720 at 10/s: gives 1280x720 at 10/s of the wished 1280x720 at 30/s
              not YUYV 1280x720 at 7.5/s: gives 1280x720 at 7/s of the wished 1280x720 at 30/s
              not YUYV 1280x720 at 5/s: gives 1280x720 at 5/s of the wished 1280x720 at 30/s
              not MJPG 640x480 at 30/s: gives 640x480 at 30/s of the wished 1280x720 at 30/s
              not MJPG 640x480 at 25/s: gives 640x480 at 25/s of the wished 1280x720 at 30/s
              not MJPG 1280x720 at 25/s: gives 1280x720 at 25/s of the wished 1280x720 at 30/s
              not MJPG 1280x720 at 15/s: gives 1280x720 at 15/s of the wished 1280x720 at 30/s
encoder       x264enc
              not openh264enc: comes behind x264enc in this board’s order
              not v4l2h264enc: does not start: no memory
sound         Microphone 1 (hw:1,0)
problem       v4l2h264enc: does not start: no memory
`);
});

test('nothing plugged in; a wish that cannot be met; encoders that this board does not use', () => {
  const described = describeHardware({ ...pi4, board: { model: 'Raspberry Pi 5 Model B', architecture: 'aarch64' } }, profiles, {
    AV_VIDEO_WIDTH: 3840,
    AV_VIDEO_HEIGHT: 2160,
    AV_VIDEO_ROTATE: 180,
  });
  expect(described).toMatchObject({
    cameras: [],
    mode: null,
    picture: { source: 'test picture', wished: '3840x2160 at 30/s', given: '1920x1080 at 30/s', turn: 180 },
    encoder: {
      taken: 'x264enc',
      notTaken: [
        { subject: 'openh264enc', reason: 'comes behind x264enc in this board’s order' },
        { subject: 'v4l2h264enc', reason: 'is not used on this board' },
      ],
    },
    sound: 'a tone, with the test picture',
  });
  expect(hardwareText(described)).toContain(
    '1920x1080 at 30/s, turned by 180 degrees\n              wished 3840x2160 at 30/s, given 1920x1080',
  );
});

test('a camera that encodes itself needs no encoder', () => {
  const { encoder, mode } = describeHardware(withDevices({ ...server, encoders: server.encoders.slice(1) }, [c920]), profiles, {});
  expect(mode?.taken).toBe('h264 1280x720 at 30/s');
  expect(encoder).toEqual({
    taken: 'the camera’s own',
    notTaken: [
      { subject: 'x264enc', reason: 'not needed: the camera encodes' },
      { subject: 'openh264enc', reason: 'this GStreamer has no such element' },
    ],
  });
});

test('many modes: a few in the text, all in the JSON; the password of a source in neither', () => {
  const rates = Array.from({ length: 40 }, (_, index) => index + 10);
  const many = camera('many', [{ pixelFormat: 'YUYV', width: 640, height: 480, frameRates: rates }], { driver: 'vivid' });
  const described = describeHardware(withDevices(server, [many]), profiles, {});
  expect(described.mode?.notTaken).toHaveLength(39);
  expect(hardwareText(described)).toContain('and 27 more (--json has them all)');
  expect(hardwareText(described)).toContain('no profile: used as it says of itself');
  const secret = describeHardware(server, profiles, { AV_VIDEO_SOURCE: 'videotestsrc name=hush', AV_AUDIO_SRC: 'audiotestsrc name=hush' });
  expect(JSON.stringify(secret)).not.toContain('hush');
});

test('a setting that cannot run here is left out, and said', () => {
  const described = describeHardware(withDevices(server, [c270]), profiles, { AV_AUDIO_DEVICE: '7', AV_H264_ENCODER_PARAMS: 'x=1' });
  expect(hardwareText(described)).toMatch(/^left out {6}AV_AUDIO_DEVICE: no microphone "7"/m);
  expect(described.leftOut).toHaveLength(2);
});
