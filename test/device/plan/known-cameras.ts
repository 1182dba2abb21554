/** Cameras as detection would describe them; the modes are those that their users have shown (the profiles name where). */
import type { CameraFact, MicrophoneFact, UsbIdentity, VideoMode } from '#device/detect/facts.ts';
import { parseVideoModes } from '#device/detect/v4l2.ts';
import { fixture } from '../detect/fixture.ts';
import { camera, cameraModule, microphone } from './hardware.ts';

const yuyv = (width: number, height: number, ...frameRates: number[]): VideoMode => ({ pixelFormat: 'YUYV', width, height, frameRates });
const mjpg = (width: number, height: number, ...frameRates: number[]): VideoMode => ({ pixelFormat: 'MJPG', width, height, frameRates });
const plugged = (id: string, speedMbps = 480): UsbIdentity => ({
  id,
  serial: 'A1B2C3D0',
  port: '1-1.3',
  place: '0000:01:00.0-1.3',
  speedMbps,
});

function usbCamera(name: string, id: string, modes: readonly VideoMode[], speedMbps = 480): CameraFact {
  return camera(`usb-${id.replace(':', '-')}`, modes, { name, usb: plugged(id, speedMbps) });
}

function sensor(name: string): CameraFact {
  return { ...cameraModule, id: `libcamera-${name}`, name, path: `/base/soc/i2c0mux/i2c@1/${name}@10` };
}

/** The microphone inside, on the second sound card. */
export function ownMicrophone(of: CameraFact): MicrophoneFact {
  return microphone(1, { id: `${of.id}-audio-0`, name: of.name, usb: of.usb, cameraId: of.id });
}

export const knownCameras: Readonly<Record<string, CameraFact | null>> = {
  none: null,
  'QuickCam Fusion': usbCamera('QuickCam Fusion', '046d:08c1', [yuyv(640, 480, 15, 10), mjpg(640, 480, 30, 25), mjpg(320, 240, 30)]),
  C270: usbCamera('C270 HD WEBCAM', '046d:0825', parseVideoModes(fixture('v4l2-ctl-c270.made-up.txt'))),
  'C920 with H.264': usbCamera('HD Pro Webcam C920', '046d:082d', parseVideoModes(fixture('v4l2-ctl-c920.made-up.txt'))),
  'C920 without H.264': usbCamera('HD Pro Webcam C920', '046d:0892', [
    ...parseVideoModes(fixture('v4l2-ctl-c920.made-up.txt')).filter(({ pixelFormat }) => pixelFormat !== 'H264'),
  ]),
  C922: usbCamera('C922 Pro Stream Webcam', '046d:085c', [
    yuyv(640, 480, 30),
    yuyv(1280, 720, 10),
    mjpg(1280, 720, 60, 30),
    mjpg(1920, 1080, 30),
  ]),
  'Brio on USB 3': usbCamera(
    'Logitech BRIO',
    '046d:085e',
    [yuyv(1280, 720, 30), yuyv(1920, 1080, 30), mjpg(1280, 720, 60, 30), mjpg(3840, 2160, 30)],
    5000,
  ),
  'camera module 1': sensor('ov5647'),
  'camera module 2': sensor('imx219'),
  'camera module 3': sensor('imx708'),
  'HQ camera': sensor('imx477'),
  'global shutter camera': sensor('imx296'),
  HDMI2USB: usbCamera('HDMI2USB.tv', '2a19:5442', [mjpg(1280, 720, 30), mjpg(1024, 768, 30)]),
  'Cam Link 4K': usbCamera(
    'Cam Link 4K',
    '0fd9:0066',
    [
      { pixelFormat: 'YUYV', width: 1920, height: 1080, frameRates: [25] },
      { pixelFormat: 'NV12', width: 1920, height: 1080, frameRates: [25] },
    ],
    5000,
  ),
  'MS2109 stick': usbCamera('USB Video', '534d:2109', [
    mjpg(1920, 1080, 30),
    mjpg(1280, 720, 60, 30),
    yuyv(1920, 1080, 5),
    yuyv(1280, 720, 10),
    yuyv(640, 480, 30),
  ]),
  'unknown webcam': usbCamera('USB Camera', '1234:5678', [yuyv(640, 480, 30), yuyv(1280, 720, 30), mjpg(1280, 720, 30)]),
};
