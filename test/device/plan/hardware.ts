/** Facts for tests: machines as detection would describe them. */
import { readFileSync } from 'node:fs';
import type { CameraFact, DetectedHardware, MicrophoneFact, VideoMode } from '#device/detect/facts.ts';
import { parseElements, parseProperties } from '#device/detect/gstreamer.ts';

function recorded(name: string): string {
  return readFileSync(new URL(`../detect/fixtures/${name}`, import.meta.url), 'utf8');
}

const elements = parseElements(recorded('gst-inspect.debian-12-x86-64.txt'));

export const server: DetectedHardware = {
  board: { model: null, architecture: 'x86_64' },
  cameras: [],
  microphones: [],
  encoders: [
    { element: 'openh264enc', properties: parseProperties(recorded('gst-inspect-openh264enc.debian-12-x86-64.txt')) },
    { element: 'x264enc', properties: parseProperties(recorded('gst-inspect-x264enc.debian-12-x86-64.txt')) },
  ],
  elements,
  gstreamerVersion: '1.22.0',
  problems: [],
};

export const pi4: DetectedHardware = {
  ...server,
  board: { model: 'Raspberry Pi 4 Model B Rev 1.5', architecture: 'aarch64' },
  encoders: [...server.encoders, { element: 'v4l2h264enc', properties: [] }],
  elements: new Set([...elements, 'v4l2h264enc', 'libcamerasrc']),
};

export function camera(id: string, modes: readonly VideoMode[], more: Partial<CameraFact> = {}): CameraFact {
  return { id, name: `Camera ${id}`, driver: 'uvcvideo', path: '/dev/video0', links: [], kind: 'v4l2', usb: null, modes, ...more };
}

export const rawCamera = camera('usb-raw', [
  { pixelFormat: 'YUYV', width: 640, height: 480, frameRates: [30, 15] },
  { pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [30, 10] },
]);

export const c270 = camera(
  'usb-c270',
  [
    { pixelFormat: 'YUYV', width: 640, height: 480, frameRates: [30, 25, 15] },
    { pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [10, 7.5, 5] },
    { pixelFormat: 'MJPG', width: 640, height: 480, frameRates: [30, 25] },
    { pixelFormat: 'MJPG', width: 1280, height: 720, frameRates: [30, 25, 15] },
  ],
  { name: 'C270 HD WEBCAM', usb: { id: '046d:0825', serial: 'A1', port: '1-1.3', place: '0000:01:00.0-1.3', speedMbps: 480 } },
);

export const c920 = camera(
  'usb-c920',
  [
    { pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [10] },
    { pixelFormat: 'H264', width: 1280, height: 720, frameRates: [30, 24] },
    { pixelFormat: 'H264', width: 640, height: 480, frameRates: [30] },
    { pixelFormat: 'MJPG', width: 1280, height: 720, frameRates: [30, 24] },
  ],
  { name: 'HD Pro Webcam C920', usb: { id: '046d:082d', serial: null, port: '1-1.2', place: '0000:01:00.0-1.2', speedMbps: 480 } },
);

export const cameraModule = camera('libcamera-imx219', [], {
  kind: 'libcamera',
  driver: 'libcamera',
  path: '/base/soc/i2c0mux/i2c@1/imx219@10',
  name: 'imx219',
});

export function microphone(card: number, more: Partial<MicrophoneFact> = {}): MicrophoneFact {
  return {
    id: `card-${card}-audio-0`,
    name: `Microphone ${card}`,
    card,
    cardId: `MIC${card}`,
    device: 0,
    alsaDevice: `hw:${card},0`,
    usb: null,
    cameraId: null,
    ...more,
  };
}

export function withDevices(
  hardware: DetectedHardware,
  cameras: readonly CameraFact[],
  microphones: readonly MicrophoneFact[] = [],
): DetectedHardware {
  return { ...hardware, cameras, microphones };
}
