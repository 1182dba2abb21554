/** A made-up PC without camera or microphone, with an encoder whose parameters are few. */
import type { CameraFact, DetectedHardware, EncoderFact } from '#device/detect/facts.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import type { Machine } from '#device/settings/prepare.ts';
import type { Desired } from '#protocol/messages.ts';
import type { SettingValues, WireSettings } from '#protocol/settings.ts';

const x264: EncoderFact = {
  element: 'x264enc',
  properties: [
    { name: 'bitrate', kind: 'integer', writable: true, live: true, minimum: 1, maximum: 2_048_000, choices: [] },
    { name: 'key-int-max', kind: 'integer', writable: true, live: false, minimum: 0, maximum: 2_147_483_647, choices: [] },
    { name: 'threads', kind: 'integer', writable: true, live: false, minimum: 0, maximum: 100, choices: [] },
  ],
};

export const webcam: CameraFact = {
  id: 'usb-1-1-webcam',
  name: 'Test webcam',
  driver: 'uvcvideo',
  path: '/dev/video0',
  links: [],
  kind: 'v4l2',
  usb: { id: '0000:0001', serial: null, port: '1-1', place: '0000:01:00.0-1', speedMbps: 480 },
  modes: [{ pixelFormat: 'YUYV', width: 1280, height: 720, frameRates: [30] }],
};

export const bareHardware: DetectedHardware = {
  board: { model: null, architecture: 'x86_64' },
  cameras: [],
  microphones: [],
  encoders: [x264],
  elements: new Set(),
  gstreamerVersion: '1.22.0',
  problems: [],
};

const profiles = await loadProfiles();

export function machineWith(
  options: { cameras?: readonly CameraFact[]; environment?: SettingValues; fleetUrl?: string | null } = {},
): Machine {
  const hardware = { ...bareHardware, cameras: options.cameras ?? [] };
  return {
    hardware,
    profile: resolveProfile(hardware, profiles),
    environment: options.environment ?? {},
    fleetUrl: options.fleetUrl === undefined ? 'http://fleet.example:8080' : options.fleetUrl,
  };
}

export const relayKey = 'pi-1?key=relay-secret';

export function desired(revision: number, device: WireSettings = {}, digestLetter = 'a'): Desired {
  return {
    revision,
    digest: digestLetter.repeat(64),
    levels: { fleet: {}, group: {}, device },
    relay: { host: null, port: 1935, application: 'live', streamKey: relayKey },
  };
}
